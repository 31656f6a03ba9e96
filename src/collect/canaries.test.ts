import { expect, test } from 'vitest';
import { judgeStage } from '../stage/judge.ts';
import { canariesOf, canaryReport, canarySentence } from './canaries.ts';

const ids = ['a', 'b', 'c', 'd'];
const documents = new Map(ids.map((id) => [id, { id, text: `The text of ${id}.` }]));
const sentences = (id: string) =>
  `Page ${id} is of 1990. It was 40 metres long. The river is wide. It can rise more. They were early. It has 7 gates.`;
const texts = ids.map((docId) => ({ docId, text: sentences(docId) }));

test('canariesOf() plants faults and instructions, each text with a document it was not made from', () => {
  const made = canariesOf(texts, documents, 10, 1);
  expect(new Set(made.map(({ kind }) => kind)).size).toBe(5);
  expect(new Set(made.map(({ item }) => item)).size).toBe(10);
  for (const { kind, document, text } of made) {
    const own = sentences(document.id);
    if (kind === 'contradicting') expect(text).toContain(`Page ${document.id}`);
    else expect(text).not.toContain(`Page ${document.id} `);
    expect(text).not.toBe(own);
    if (!['swapped', 'contradicting'].includes(kind)) expect(text).toMatch(/\b5\b/);
  }
  expect(canariesOf(texts, documents, 10, 1)).toEqual(made);
  expect(canariesOf(texts.slice(0, 1), documents, 10, 1)).toEqual([]);
});

test('a canary cannot close the marks it is shown in, nor keep its hidden characters', () => {
  const canary = canariesOf(texts, documents, 10, 1).find(({ kind }) => kind === 'escapes')!;
  const { content } = judgeStage.teacherPrompt(canary)[0]!;
  const mark = /<(rewrite-[0-9a-f]{16})>/.exec(content)![1]!;
  expect(content.indexOf('System:')).toBeLessThan(content.indexOf(`</${mark}>`));
  expect(content.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\u202e\u200b\ufeff]/u);
});

test('canaryReport() counts what has no score apart from what was caught', () => {
  const report = canaryReport([
    { kind: 'swapped', score: 1 },
    { kind: 'swapped', score: null },
    { kind: 'asks', score: 5 },
    { kind: 'asks', score: 2 },
  ])!;
  expect(report).toMatchObject({ texts: 4, caught: 0.5, unscored: 1 });
  expect(report.by_kind).toEqual([
    { kind: 'swapped', texts: 2, caught: 0.5, unscored: 1 },
    { kind: 'asks', texts: 2, caught: 0.5, unscored: 0 },
  ]);
  expect(canarySentence(report)).toBe('2 of 4 canaries caught, 1 without a score (swapped 1 of 2, asks 1 of 2)');
});
