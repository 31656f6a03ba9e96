import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { WORD_DIFF_SCRIPT } from './word-diff-script.ts';

type Edit = [mark: '=' | '-' | '+', text: string];
const wordDiff = new Function(`${WORD_DIFF_SCRIPT}; return wordDiff;`)() as (before: string, after: string) => Edit[];

const words = (text: string) => text.split(/\s+/).filter((word) => word !== '');
const side = (edits: Edit[], mark: '-' | '+') =>
  words(edits.map(([kind, text]) => (kind === '=' || kind === mark ? `${text} ` : '')).join(''));

describe('wordDiff()', () => {
  const text = fc.array(fc.constantFrom('a', 'b', 'c', 'd\n', 'e.'), { maxLength: 30 }).map((parts) => parts.join(' '));

  it('holds both texts whatever they are', () => {
    fc.assert(
      fc.property(text, text, (before, after) => {
        const edits = wordDiff(before, after);
        expect(side(edits, '-')).toEqual(words(before));
        expect(side(edits, '+')).toEqual(words(after));
      }),
    );
  });

  it('marks nothing in equal texts', () => {
    fc.assert(fc.property(text, (same) => wordDiff(same, same).every(([mark]) => mark === '=')));
  });

  it('finds the shortest edit', () => {
    expect(wordDiff('the old cat sat', 'the cat sat down')).toEqual([
      ['=', 'the '],
      ['-', 'old '],
      ['=', 'cat sat '],
      ['+', 'down'],
    ]);
  });

  it('shows very long texts unmarked', () => {
    const long = (word: string) => `${word} `.repeat(3000);
    expect(wordDiff(long('a'), long('b'))).toEqual([['=', long('b')]]);
  });
});
