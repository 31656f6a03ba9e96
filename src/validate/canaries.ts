/** Texts that no judge who reads the source may let pass. */

import { type CanaryReport, canariesOf, canaryReport } from '../collect/canaries.ts';
import type { Judge } from '../judge/judge.ts';
import type { SourceDocument } from '../stage/stage.ts';
import type { GenerationLine } from './generations.ts';

/** Enough to see a judge that does not read; few enough to cost little where judgements are paid. */
export const CANARIES = 20;

/**
 * Shows the judge some of the teacher's texts, spoilt: with another document, contradicted, or asking for a 5. Undefined where there are not two documents.
 *
 * @throws InterruptedError when `signal` is aborted
 */
export async function canaryScores(
  lines: readonly GenerationLine[],
  documents: ReadonlyMap<string, SourceDocument>,
  judge: Judge,
  { seed, signal }: { seed: number; signal: AbortSignal },
): Promise<CanaryReport | undefined> {
  const own = lines.flatMap(({ arm, text, doc_id }) => (arm === 'teacher' && text ? [{ docId: doc_id, text }] : []));
  const canaries = canariesOf(own, documents, Math.min(CANARIES, own.length), seed);
  const shown = canaries.map(({ document, text }, i) => ({ id: `canary-${seed}-${i}`, document, text }));
  const scores = await judge.score(shown, signal);
  return canaryReport(canaries.map(({ kind }, i) => ({ kind, score: scores[i] ?? null })));
}
