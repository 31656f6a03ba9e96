import { render } from 'ink-testing-library';
import { expect, test } from 'vitest';
import type { RunEvent } from '../foundation/events.ts';
import { COMMANDS } from '../pipeline/progress.ts';
import { runStore } from './run-store.ts';
import { RunView } from './run-view.tsx';

/** The screen after events at given milliseconds. */
function screenAfter(events: [number, RunEvent][], width = 80, compact = false): string {
  let now = 0;
  const store = runStore(COMMANDS, () => now);
  for (const [at, event] of events) {
    now = at;
    store.emit(event);
  }
  store.close();
  const { lastFrame, unmount } = render(<RunView store={store} width={width} color={false} compact={compact} />);
  const frame = lastFrame() ?? '';
  unmount();
  return frame;
}

const start = (command: 'collect' | 'train', detail: string): RunEvent => ({ type: 'command-start', command, detail });
const progress = (done: number): RunEvent => ({
  type: 'command-progress',
  command: 'collect',
  label: 'reformulate',
  done,
  total: 400,
  unit: 'requests',
});
const step = (number: number): RunEvent => ({
  type: 'step-end',
  student: 'writer',
  step: number,
  steps: 40,
  loss: 4 - number / 20,
  learningRate: 1e-3,
  tokensPerSecond: 413.4,
  secondsLeft: 125,
});

test('RunView shows done, running and waiting commands with a bar, its rate and the time left', () => {
  const frame = screenAfter([
    [0, start('collect', '80 documents')],
    [1000, progress(0)],
    [11000, progress(100)],
  ]);
  expect(frame).toContain('▸ collect    80 documents');
  expect(frame).toContain('reformulate    █████░░░░░░░░░░░░░ 100/400 requests  10/s  30 s left');
  expect(frame).toContain('· train');
  expect(frame).not.toContain('step');
});

test('RunView shows the loss curve only while training, with dev loss and speed', () => {
  const steps = Array.from({ length: 20 }, (_, i): [number, RunEvent] => [i * 1000, step(i + 1)]);
  const training: [number, RunEvent][] = [
    [0, start('train', 'writer')],
    ...steps,
    [20000, { type: 'dev-loss', student: 'writer', step: 20, loss: 3.111 }],
  ];
  const frame = screenAfter(training);
  expect(frame).toContain('writer: loss 3.000, dev 3.111 at step 20, 413 tokens/s, 2 min 5 s left');
  expect(frame).toMatch(/3\.95 .*[\u2801-\u28ff]/);
  expect(frame).toMatch(/3\.00 /);
  const ended = screenAfter([
    ...training,
    [21000, { type: 'command-end', command: 'train', seconds: 21, summary: 'ok' }],
  ]);
  expect(ended).toContain('✓ train      ok');
  expect(ended).not.toContain('tokens/s');
});

test('RunView scrolls samples and warnings by, but no more samples than can be read', () => {
  const sample = (docId: string): RunEvent => ({
    type: 'sample-made',
    stage: 'reformulate',
    source: 'recorded',
    docId,
    text: 'Dear\n\nreader, '.repeat(20),
    score: 4,
  });
  const frame = screenAfter([
    [0, sample('doc-1')],
    [100, sample('doc-2')],
    [1600, sample('doc-3')],
    [1700, { type: 'log', level: 'warn', message: 'two requests failed' }],
  ]);
  expect(frame).toContain('reformulate of doc-1 by recorded, score 4\n  Dear reader, Dear reader,');
  expect(frame).not.toContain('doc-2');
  expect(frame).toContain('doc-3');
  expect(frame).toContain('! two requests failed');
});

test.each([80, 40])('RunView keeps every line within %i columns', (width) => {
  const long = 'a very long description of what is going on here '.repeat(4);
  const frame = screenAfter(
    [
      [0, start('collect', long)],
      [0, progress(3)],
      [9000, { ...progress(123456), total: 999999, label: 'a label far too long for its column' } as RunEvent],
      [9000, start('train', long)],
      [9500, step(3)],
      [9600, { type: 'sample-made', stage: 'pairs', source: 'x', docId: 'd'.repeat(90), text: long }],
    ],
    width,
  );
  for (const line of frame.split('\n')) expect(line.length).toBeLessThanOrEqual(width);
});

test('RunView wraps what came of a command, or keeps to one line on low terminals', () => {
  const end = (summary: string): RunEvent => ({ type: 'command-end', command: 'train', seconds: 9, summary });
  const events: [number, RunEvent][] = [
    [0, start('train', 'pairs')],
    [9, end('pairs: '.repeat(15))],
    [9, end('reformulate: done')],
  ];
  const frame = screenAfter(events);
  expect(frame.match(/pairs:/g)).toHaveLength(15);
  expect(frame).toContain('             reformulate: done');
  const low = screenAfter(events, 80, true);
  expect(low.trim().split('\n')).toHaveLength(7);
});

test('RunView uses no escape codes without colour', () => {
  const frame = screenAfter([[0, start('collect', 'x')]]);
  expect(frame).not.toContain('\u001b[');
});
