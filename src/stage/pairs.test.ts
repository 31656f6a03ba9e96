import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pairsStage, parsePairs } from './pairs.ts';
import type { GenreAudience } from './stage.ts';

/** Any text with a letter, without blanks around. */
const description = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .map((text) => `a${text}`.trim())
  .filter((text) => text !== '');

const fivePairs = fc.uniqueArray(fc.record({ genre: description, audience: description }), {
  minLength: 5,
  maxLength: 5,
  selector: ({ genre, audience }) => `${genre} ${audience}`.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, ' '),
});

const five: GenreAudience[] = [1, 2, 3, 4, 5].map((k) => ({ genre: `Genre ${k}.`, audience: `Audience "${k}".` }));
const flat = Object.fromEntries(
  five.flatMap((pair, i) => [
    [`audience_${i + 1}`, pair.audience],
    [`genre_${i + 1}`, pair.genre],
  ]),
);

describe('parsePairs()', () => {
  it('reads back what a student is trained to answer', () => {
    fc.assert(
      fc.property(fivePairs, (pairs) => {
        expect(parsePairs(pairsStage.completion(pairs))).toEqual({ ok: true, value: pairs });
      }),
    );
  });

  it('reads it through fences, talk, thinking and small syntax errors', () => {
    const answer = JSON.stringify(flat, null, 2);
    for (const response of [
      `Sure, here it is:\n\n\`\`\`json\n${answer}\n\`\`\`\nTell me if you want {more}.`,
      `<think>The keys are {"audience_1": "?"}</think>\n${answer}`,
      `no opening tag {}</think>${answer}`,
      answer.replace(/"\n}/, '",\n}'),
      answer.replace('"genre_3": "Genre 3."', "genre_3: 'Genre 3.'"),
      answer.replaceAll('audience_', 'Audience '),
    ]) {
      expect(parsePairs(response), response).toEqual({ ok: true, value: five });
    }
  });

  it('gives a reason for whatever else it is sent, and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.json(),
          fc.json().map((json) => `{"genre_1": ${json}}`),
        ),
        (response) => {
          const parsed = parsePairs(response);
          expect(parsed.ok).toBe(false);
        },
      ),
    );
  });

  it.each([
    ['four pairs', { ...flat, genre_5: undefined }, 'genre_5 is missing'],
    ['an empty audience', { ...flat, audience_2: ' ' }, 'audience_2 is missing'],
    ['dots copied from the prompt', { ...flat, audience_2: '...' }, 'audience_2 is missing'],
    ['a number for a genre', { ...flat, genre_1: 7 }, 'genre_1 is missing'],
    ['six pairs', { ...flat, genre_6: 'x', audience_6: 'y' }, 'more than five'],
    ['a repeated pair', { ...flat, genre_2: 'GENRE 1', audience_2: 'audience 1' }, 'only 4 distinct'],
  ])('refuses %s', (_name, object, reason) => {
    expect(parsePairs(JSON.stringify(object))).toMatchObject({ ok: false, reason: expect.stringContaining(reason) });
  });

  it('refuses an answer that was cut off, wherever', () => {
    const answer = JSON.stringify(flat);
    for (let end = 0; end < answer.length; end++) expect(parsePairs(answer.slice(0, end)).ok).toBe(false);
  });
});

describe('pairsStage', () => {
  it('is finished with the fifth pair, whatever would follow, and not before', () => {
    const answer = pairsStage.completion(five);
    for (let end = 0; end < answer.length - 1; end++)
      expect(pairsStage.finished!(answer.slice(0, end))).toBeUndefined();
    for (const more of ['', '}', ', "audience_6": "more', ', "genre_5": "again"}']) {
      expect(pairsStage.finished!(answer.slice(0, -1) + more)).toBe(answer);
    }
  });

  it('puts the document first in both prompts', () => {
    const document = { id: 'a', text: 'Bees dance.' };
    expect(pairsStage.studentPrompt({ document })).toEqual([
      {
        role: 'user',
        content: 'Document:\nBees dance.\n\nPropose five genre-audience pairs for rewriting this document, as JSON.',
      },
    ]);
    expect(pairsStage.teacherPrompt({ document })[0]!.content).toMatch(
      /^<document-[0-9a-f]{16}>\nBees dance\.\n<\/document/,
    );
  });
});
