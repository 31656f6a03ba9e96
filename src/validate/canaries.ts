/** Texts that no judge who reads the source may let pass. */

import { randomStream } from '../foundation/random.ts';
import type { Judge } from '../judge/judge.ts';
import type { SourceDocument } from '../stage/stage.ts';
import type { GenerationLine } from './generations.ts';

/** Enough to see a judge that does not read; few enough to cost little where judgements are paid. */
const CANARIES = 20;

/**
 * Shows the judge some of the teacher's texts, each with a document it was not made from. Undefined where there are not two documents.
 *
 * @throws InterruptedError when `signal` is aborted
 */
export async function canaryScores(
  lines: readonly GenerationLine[],
  documents: ReadonlyMap<string, SourceDocument>,
  judge: Judge,
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<{ texts: number; caught: number } | undefined> {
  const own = lines.filter(({ arm, text }) => arm === 'teacher' && text !== '');
  const docIds = [...new Set(own.map((line) => line.doc_id))];
  if (docIds.length < 2) return undefined;
  const random = randomStream(seed, 'canaries');
  const drawn = random.shuffle([...own]).slice(0, CANARIES);
  const swapped = drawn.map(({ doc_id, text }, i) => {
    const away = 1 + random.integer(docIds.length - 1);
    const document = documents.get(docIds[(docIds.indexOf(doc_id) + away) % docIds.length]!)!;
    return { id: `canary-${seed}-${i}`, document, text };
  });
  const scores = await judge.score(swapped, signal);
  return {
    texts: scores.length,
    caught: scores.filter((score) => score !== null && score <= 2).length / scores.length,
  };
}
