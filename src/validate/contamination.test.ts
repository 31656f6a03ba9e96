import { expect, test } from 'vitest';
import { contamination } from './contamination.ts';

const text = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`).join(' ');
const document = (id: string, body: string) => ({ id, text: body });

test('contamination() finds a copy and a half copy, worst first', () => {
  const train = [document('t1', text('alpha', 200)), document('t2', text('beta', 200))];
  const half = `${text('beta', 100)} ${text('gamma', 100)}`;
  const found = contamination(train, [
    document('v1', half),
    document('v2', text('alpha', 200)),
    document('v3', text('delta', 200)),
  ]);
  expect(found.documents).toBe(3);
  expect(found.suspects.map(({ doc_id, train_doc_id }) => [doc_id, train_doc_id])).toEqual([
    ['v2', 't1'],
    ['v1', 't2'],
  ]);
  expect(found.suspects[0]!.share).toBe(1);
});

test('contamination() lets quotations and short texts pass', () => {
  const quoted = `${text('own', 300)} ${text('alpha', 14)}`;
  expect(
    contamination([document('t', text('alpha', 200))], [document('v', quoted), document('w', 'short')]).suspects,
  ).toEqual([]);
});
