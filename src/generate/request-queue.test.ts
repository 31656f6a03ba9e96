import { expect, test } from 'vitest';
import { RequestQueue } from './request-queue.ts';

test('each lane gets its own stretch in order, then the last of whoever has most left', () => {
  const queue = new RequestQueue([0, 1, 2, 3, 4, 5, 6], 2);
  expect([queue.next(0), queue.next(1), queue.next(1)]).toEqual([0, 3, 4]);
  expect([queue.next(1), queue.next(1)]).toEqual([5, 6]);
  expect([queue.next(1), queue.next(0), queue.next(0), queue.next(1)]).toEqual([2, 1, undefined, undefined]);
});

test('every request is given once, whatever the order of those who ask', () => {
  const queue = new RequestQueue(
    Array.from({ length: 10 }, (_, i) => i),
    3,
  );
  const given = [2, 2, 2, 2, 0, 1, 1, 2, 0, 0, 0, 1].map((lane) => queue.next(lane));
  expect(given.filter((request) => request !== undefined).sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
});
