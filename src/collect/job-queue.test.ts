import { describe, expect, it } from 'vitest';
import type { Teacher } from '../teacher/teacher.ts';
import type { Job } from './job.ts';
import { JobQueue, Ticket } from './job-queue.ts';
import { Provider } from './provider.ts';

const teacher: Teacher = { name: 't', kind: 'recorded', complete: () => Promise.reject(new Error('not asked')) };
const provider = (name: string) =>
  new Provider({ name, teacher, settings: { kind: 'recorded', folder: 'none' }, concurrency: 1 });
const job = (key: string): Job => ({
  request: { key, stage: 'pairs', docId: 'd', item: 'd', messages: [], params: { temperature: 0, maxTokens: 1 } },
  promptVersion: 'p',
});
const keyOf = (ticket: { job: Job } | undefined) => ticket?.job.request.key;

/** What a promise has come to by now; `pending` where it has not. */
const state = <T>(promise: Promise<T>) => Promise.race([promise, Promise.resolve().then(() => 'pending' as const)]);

describe('JobQueue', () => {
  it('hands out each key once, and ends when the last one is done', async () => {
    const [a, b] = [provider('a'), provider('b')];
    const queue = new JobQueue([job('1'), job('1'), job('2')], [a, b]);
    expect([keyOf(await queue.take(a)), keyOf(await queue.take(b))]).toEqual(['1', '2']);
    const more = queue.take(a);
    queue.done();
    expect(await state(more)).toBe('pending');
    queue.done();
    expect(await more).toBeUndefined();
    expect(queue.drained.aborted).toBe(true);
  });

  it('gives what one cannot answer to those it is open to', async () => {
    const [a, b] = [provider('a'), provider('b')];
    const queue = new JobQueue([job('1')], [a, b]);
    const ticket = (await queue.take(a))!;
    const other = queue.take(b);
    ticket.closedTo.add(a);
    queue.giveBack(ticket);
    expect(await queue.take(a)).toBeUndefined();
    expect(await other).toBe(ticket);
    b.setAside('gone');
    expect(queue.isOpen(ticket)).toBe(false);
    queue.giveBack(ticket);
    expect(queue.stranded()).toEqual([ticket]);
    expect(queue.drained.aborted).toBe(true);
  });

  it('calls one sleeping job over to each provider that has nothing else to do and has not tried it', async () => {
    const [a, b] = [provider('a'), provider('b')];
    const queue = new JobQueue([job('1'), job('2'), job('3')], [a, b]);
    const tickets = [(await queue.take(a))!, (await queue.take(a))!, (await queue.take(a))!];
    tickets[0]!.tries.set(a, 1).set(b, 1);
    const asleep = tickets.slice(0, 2).map((ticket) => queue.asleep(ticket));
    const first = queue.take(b);
    expect(asleep.map(({ aborted }) => aborted)).toEqual([false, true]);
    const late = queue.asleep(tickets[2]!);
    expect(late.aborted).toBe(false);
    queue.giveBack(tickets[1]!);
    expect(await first).toBe(tickets[1]);
    const second = queue.take(b);
    expect(late.aborted).toBe(true);
    queue.giveBack(tickets[2]!);
    expect(await second).toBe(tickets[2]);
  });

  it('waits for what a provider has already', async () => {
    const [a, b] = [provider('a'), provider('b')];
    const held = new Ticket(job('1'));
    const queue = new JobQueue([job('1')], [a, b], [held]);
    const take = queue.take(b);
    expect(await state(take)).toBe('pending');
    queue.giveBack(held);
    expect(await take).toBe(held);
  });
});
