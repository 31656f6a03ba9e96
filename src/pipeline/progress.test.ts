import { expect, test } from 'vitest';
import type { RunEvent } from '../foundation/events.ts';
import { afterEvent, afterFailure, barRate, barSecondsLeft, type RunProgress, waitingRun } from './progress.ts';

function fold(events: [number, RunEvent][], start: RunProgress = waitingRun(['collect', 'train'])): RunProgress {
  return events.reduce((run, [now, event]) => afterEvent(run, event, now), start);
}

const progress = (done: number): RunEvent => ({
  type: 'command-progress',
  command: 'collect',
  label: 'pairs',
  done,
  total: 100,
  unit: 'requests',
});

test('afterEvent() follows a command from waiting to done', () => {
  const start: RunEvent = { type: 'command-start', command: 'collect', detail: '9 documents' };
  expect(fold([]).commands[0]?.state).toBe('waiting');
  expect(fold([[5, start]]).commands[0]).toMatchObject({ state: 'running', detail: '9 documents', startedAt: 5 });
  const end: RunEvent = { type: 'command-end', command: 'collect', seconds: 3, summary: '100 answers' };
  const done = fold([
    [5, start],
    [9, end],
  ]);
  expect(done.commands.map(({ state }) => state)).toEqual(['done', 'waiting']);
  expect(done.commands[0]).toMatchObject({ outcomes: ['100 answers'], seconds: 3 });
});

test('afterEvent() keeps what came of each part of a command, and adds their times up', () => {
  const start: RunEvent = { type: 'command-start', command: 'train', detail: 'a' };
  const end: RunEvent = { type: 'command-end', command: 'train', seconds: 3, summary: 'a: dev loss 3.1' };
  const skip: RunEvent = { type: 'command-skip', command: 'train', reason: 'b is trained' };
  const one = fold([
    [0, start],
    [3000, end],
    [3001, skip],
  ]);
  expect(one.commands[1]).toMatchObject({ state: 'done', outcomes: ['a: dev loss 3.1', 'b is trained'], seconds: 3 });
  const two = fold(
    [
      [3002, start],
      [6002, end],
    ],
    one,
  );
  expect(two.commands[1]).toMatchObject({ seconds: 6, startedAt: 3002 });
});

test('barRate() leaves out what was done before this process began', () => {
  const { bars } = fold([
    [0, progress(40)],
    [2000, progress(50)],
  ]).commands[0]!;
  expect(barRate(bars[0]!)).toBe(5);
  expect(barSecondsLeft(bars[0]!)).toBe(10);
  const fresh = fold([[0, progress(40)]]).commands[0]!;
  expect(barSecondsLeft(fresh.bars[0]!)).toBeUndefined();
});

test('afterEvent() keeps the losses of each student apart', () => {
  const step = (student: string, number: number): RunEvent => ({
    type: 'step-end',
    student,
    step: number,
    steps: 9,
    loss: 4 - number,
    learningRate: 1,
    tokensPerSecond: 10,
    secondsLeft: 60,
  });
  const run = fold([
    [0, step('a', 1)],
    [1, step('b', 1)],
    [2, step('a', 2)],
    [3, { type: 'dev-loss', student: 'a', step: 2, loss: 2.5 }],
  ]);
  expect(run.students.map(({ losses }) => losses.length)).toEqual([2, 1]);
  expect(run.students[0]).toMatchObject({ steps: 9, devLosses: [{ step: 2, loss: 2.5 }] });
});

test('afterFailure() marks what was running', () => {
  const run = fold([[0, { type: 'command-start', command: 'collect', detail: '' }]]);
  expect(afterFailure(run, 'no key').commands.map(({ state }) => state)).toEqual(['failed', 'waiting']);
});
