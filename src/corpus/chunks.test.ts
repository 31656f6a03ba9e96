import fc from 'fast-check';
import { expect, test } from 'vitest';
import { chunks, documentOf, tokenEstimate } from './chunks.ts';

const compact = (text: string) => text.replace(/\s+/g, '');

test('chunks() leaves a document that fits as it is', () => {
  const document = { id: 'a', text: 'short\n\ntext ' };
  expect(chunks(document, 100)).toEqual([document]);
});

test('chunks() cuts between paragraphs and numbers the parts', () => {
  const paragraph = (name: string) => `${name} ${'word '.repeat(40)}end.`;
  const text = ['one', 'two', 'three', 'four'].map(paragraph).join('\n\n');
  const parts = chunks({ id: 'a', text, title: 'T' }, 2 * tokenEstimate(paragraph('three')) + 4);
  expect(parts.map(({ id, title }) => [id, title])).toEqual([
    ['a#1', 'T'],
    ['a#2', 'T'],
  ]);
  expect(parts.map(({ text }) => text)).toEqual([
    `${paragraph('one')}\n\n${paragraph('two')}`,
    `${paragraph('three')}\n\n${paragraph('four')}`,
  ]);
});

test('chunks() keeps every character but space, in order, within the limit', () => {
  const piece = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.constantFrom('\n\n', '\n', '. ', ' ', '蜜蜂。', 'x'.repeat(50)),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 8, max: 60 }), (pieces, maxTokens) => {
      const text = pieces.join('');
      const parts = chunks({ id: 'd', text }, maxTokens);
      expect(compact(parts.map((part) => part.text).join(''))).toBe(compact(text));
      for (const part of parts) if (part.id !== 'd') expect(tokenEstimate(part.text)).toBeLessThanOrEqual(maxTokens);
      expect(parts.every(({ id }) => documentOf(id) === 'd')).toBe(true);
    }),
  );
});
