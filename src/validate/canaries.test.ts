import { expect, it } from 'vitest';
import type { Judge } from '../judge/judge.ts';
import type { SourceDocument } from '../stage/stage.ts';
import { canaryScores } from './canaries.ts';
import type { GenerationLine } from './generations.ts';

const ids = ['a', 'b', 'c'];
const documents = new Map<string, SourceDocument>(ids.map((id) => [id, { id, text: `About ${id}` }]));
const line = (arm: string, doc_id: string) => ({ arm, doc_id, item: `${doc_id}/1`, text: `About ${doc_id}` });
const lines = [...ids.map((id) => line('teacher', id)), line('student', 'a')] as GenerationLine[];
const options = { seed: 1, signal: new AbortController().signal };

/** Passes what `score` says, and keeps what it was shown. */
function judgeBy(score: (document: string, text: string) => number | null) {
  const shown: { document: string; text: string }[] = [];
  const judge = {
    score: async (items: readonly { document: SourceDocument; text: string }[]) =>
      items.map(({ document, text }) => {
        shown.push({ document: document.text, text });
        return score(document.text, text);
      }),
  } as unknown as Judge;
  return { judge, shown };
}

it("canaryScores() spoils the teacher's texts, and counts which are caught", async () => {
  const reader = judgeBy((document, text) => (document === text ? 5 : 1));
  expect(await canaryScores(lines, documents, reader.judge, options)).toMatchObject({
    texts: 3,
    caught: 1,
    unscored: 0,
  });
  expect(reader.shown).toHaveLength(3);
  const kind = judgeBy(() => 5);
  expect(await canaryScores(lines, documents, kind.judge, options)).toMatchObject({ texts: 3, caught: 0 });
});

it('canaryScores() is undefined where there are no two documents', async () => {
  const { judge } = judgeBy(() => 1);
  expect(await canaryScores([line('teacher', 'a')] as GenerationLine[], documents, judge, options)).toBeUndefined();
});
