/** Outputs of all arms -> scored items: blind, interleaved, by one judge. */

import { words } from '../corpus/words.ts';
import { COPIED_LIMIT, copiedShare } from '../curate/measures/copied-share.ts';
import { sha256 } from '../foundation/hash.ts';
import { randomStream } from '../foundation/random.ts';
import type { Judge } from '../judge/judge.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { GenreAudience, Parsed, SourceDocument } from '../stage/stage.ts';
import type { GenerationLine } from './generations.ts';
import { PASSING_SCORE, type ScoredItem } from './scored-item.ts';
import { pairsMeasures, reformulationMeasures } from './text-measures.ts';

/** Why an output that is a text has no score; any other reason says that it is none. */
export const NO_SCORE = 'the judge gave no score';

/** Outputs judged in one call: small enough to tell of progress and to stop. */
const CHUNK = 100;

export interface ScoringContext {
  seed: number;
  signal: AbortSignal;
  onProgress(done: number, total: number): void;
}

/** How the outputs of a judged stage are read and measured. */
export interface JudgedTask {
  /** What the judge is shown of a response, or why there is nothing to show. */
  read(response: string): Parsed<string>;
  measure(text: string, source: string): Record<string, number>;
  /** A copy of the source is of no use, whatever its score. */
  copyingSpoils: boolean;
}

const REFORMULATING: JudgedTask = {
  read: reformulateStage.parse,
  measure: reformulationMeasures,
  copyingSpoils: true,
};

/** Outputs scored by the judge. One that is no answer (empty, a refusal, of the wrong form) has no score and a reason. */
export async function scoreOutputs(
  lines: readonly GenerationLine[],
  documents: ReadonlyMap<string, SourceDocument>,
  judge: Judge,
  { seed, signal, onProgress }: ScoringContext,
  { read, measure, copyingSpoils }: JudgedTask = REFORMULATING,
): Promise<ScoredItem[]> {
  const items = lines.map(({ arm, model, stage, doc_id, item, text, complete }): ScoredItem => {
    const source = documents.get(doc_id)!.text;
    const copied = copiedShare(text, source) > COPIED_LIMIT;
    const measures = measure(text, source);
    return {
      arm,
      model,
      stage,
      doc_id,
      item,
      score: null,
      words: words(text).length,
      measures,
      copied,
      complete,
      usable: false,
    };
  });
  const judged = lines.flatMap((line, index) => {
    const parsed = read(line.text);
    if (!parsed.ok) items[index]!.reason = parsed.reason;
    // The id says nothing of the arm, and the order mixes them.
    const id = sha256([seed, line.arm, line.item].join('\u0000')).slice(0, 16);
    return parsed.ok ? [{ index, id, document: documents.get(line.doc_id)!, text: parsed.value }] : [];
  });
  const mixed = randomStream(seed, 'judging-order').shuffle(judged);
  for (let start = 0; start < mixed.length; start += CHUNK) {
    const chunk = mixed.slice(start, start + CHUNK);
    const scores = await judge.score(
      chunk.map(({ id, document, text }) => ({ id, document, text })),
      signal,
    );
    for (const [i, { index, id }] of chunk.entries()) {
      const item = items[index]!;
      item.score = scores[i] ?? null;
      const detail = judge.detail?.(id);
      if (detail && detail.scores.length > 1) item.scores = detail.scores;
      if (detail?.expected !== undefined) item.expected = detail.expected;
      if (detail?.second !== undefined) item.second = detail.second;
      if (detail?.usd !== undefined) item.usd = detail.usd;
      if (detail?.asked !== undefined) Object.assign(item, { sureness: detail.sureness, asked: detail.asked });
      if (item.score === null) item.reason = NO_SCORE;
      const spoilt = copyingSpoils && item.copied;
      item.usable = item.score !== null && item.score >= PASSING_SCORE && !spoilt && item.complete === true;
    }
    onProgress(start + chunk.length, mixed.length);
  }
  return items;
}

/** Pairs are not judged: a response is valid, or there is a reason why not. */
export function scorePairs(
  lines: readonly GenerationLine[],
  teacher: ReadonlyMap<string, readonly GenreAudience[]>,
): ScoredItem[] {
  return lines.map(({ arm, model, stage, doc_id, item, text, complete }) => {
    const parsed = pairsStage.parse(text);
    const row = { arm, model, stage, doc_id, item, score: null, copied: false, complete, usable: parsed.ok };
    return parsed.ok
      ? { ...row, measures: pairsMeasures(parsed.value, teacher.get(doc_id)) }
      : { ...row, reason: parsed.reason };
  });
}
