import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RunEvent } from '../foundation/events.ts';
import { runStore } from './run-store.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const progress = (done: number): RunEvent => ({
  type: 'command-progress',
  command: 'collect',
  label: 'pairs',
  done,
  total: 1000,
  unit: 'requests',
});

test('runStore() tells at most ten times a second, and the last state soon', () => {
  const store = runStore(['collect']);
  let told = 0;
  store.subscribe(() => {
    told += 1;
  });
  for (let i = 0; i < 1000; i++) {
    store.emit(progress(i));
    vi.advanceTimersByTime(1);
  }
  expect(told).toBeGreaterThanOrEqual(9);
  expect(told).toBeLessThanOrEqual(11);
  vi.advanceTimersByTime(100);
  expect(store.screen().run.commands[0]?.bars[0]?.done).toBe(999);
  store.close();
});

test('runStore() lets the clock go on without events, until closed', () => {
  const store = runStore(['collect']);
  const before = store.screen().now;
  vi.advanceTimersByTime(3000);
  expect(store.screen().now - before).toBeGreaterThanOrEqual(2000);
  store.close();
  const last = store.screen().now;
  vi.advanceTimersByTime(3000);
  expect(store.screen().now).toBe(last);
});
