/** From collected answers to candidate training samples, before anything is dropped. */

import type { Collected } from '../collect/collected.ts';
import { UserError } from '../foundation/errors.ts';
import { judgeStage } from '../stage/judge.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { GenreAudience, SourceDocument, StageName } from '../stage/stage.ts';
import type { SftRow } from './sft-row.ts';

/** Validation documents have no part in training; there is no third split here on purpose. */
export type TrainingSplit = 'train' | 'dev';

export const TRAINING_SPLITS: readonly TrainingSplit[] = ['train', 'dev'];

export interface Candidate {
  readonly row: SftRow;
  readonly split: TrainingSplit;
  /** What rules and duplicates look at: the written text, the pair descriptions, or the judged text. */
  readonly text: string;
  readonly source: string;
  readonly finishReason?: string | null;
  /** Mean judge score; null where nobody scored the text. Pairs are not scored. */
  readonly score: number | null;
}

/** The candidates of a stage, by split, document (in the order of splits.json) and item: the same for the same answers, in whatever order they came. */
export function candidates(stage: StageName, collected: Collected): Candidate[] {
  const make = { pairs: pairsCandidates, reformulate: reformulateCandidates, judge: judgeCandidates }[stage];
  const items = itemsByDocument(collected);
  return TRAINING_SPLITS.flatMap((split) =>
    collected.splits[split].flatMap((docId) => {
      const document = collected.documents.get(docId);
      if (!document) {
        throw new UserError(
          `Cannot curate: splits.json names document "${docId}", which the corpus does not hold`,
          'Run `mga collect` with the corpus the run began with',
        );
      }
      return make(document, split, collected, items.get(docId) ?? NO_ITEMS);
    }),
  );
}

interface Items {
  texts: string[];
  judged: { id: string; text: string }[];
}

const NO_ITEMS: Items = { texts: [], judged: [] };

function itemsByDocument(collected: Collected): Map<string, Items> {
  const items = new Map<string, Items>();
  const of = (docId: string) => {
    const found = items.get(docId) ?? { texts: [], judged: [] };
    items.set(docId, found);
    return found;
  };
  const heldOut = heldOutTexts(collected);
  for (const [item, { docId, text }] of sorted(collected.texts)) {
    of(docId).texts.push(item);
    of(docId).judged.push({ id: item, text });
  }
  for (const { id, docId, text } of [...collected.judgeTexts].sort((a, b) => compare(a.id, b.id))) {
    if (!heldOut.has(text)) of(docId).judged.push({ id, text });
  }
  return items;
}

/** Texts made from validation documents. A planted mismatch shows one of them beside a training document: it must not be learned from. */
function heldOutTexts({ splits, texts, judgeTexts }: Collected): Set<string> {
  const validation = new Set(splits.validation);
  return new Set(
    [...texts.values(), ...judgeTexts].filter(({ docId }) => validation.has(docId)).map(({ text }) => text),
  );
}

function pairsCandidates(document: SourceDocument, split: TrainingSplit, { pairs }: Collected): Candidate[] {
  const found = pairs.get(document.id);
  if (!found) return [];
  const completion = pairsStage.completion(found);
  return [
    {
      row: row(document.id, document, 'pairs', pairsStage.studentPrompt({ document }), completion),
      split,
      text: found.map(({ genre, audience }) => `${genre}\n${audience}`).join('\n'),
      source: document.text,
      score: null,
    },
  ];
}

function reformulateCandidates(
  document: SourceDocument,
  split: TrainingSplit,
  collected: Collected,
  items: Items,
): Candidate[] {
  return items.texts.map((item) => {
    const { pair, text, finishReason } = collected.texts.get(item)!;
    const score = meanScore(collected, item);
    return {
      row: {
        ...row(item, document, 'reformulate', reformulateStage.studentPrompt({ document, pair }), text, pair),
        ...(score === null ? {} : { score }),
      },
      split,
      text,
      source: document.text,
      finishReason,
      score,
    };
  });
}

function judgeCandidates(
  document: SourceDocument,
  split: TrainingSplit,
  collected: Collected,
  items: Items,
): Candidate[] {
  return items.judged.flatMap(({ id, text }) => {
    // The first judgement is the sample; repeats measure the judge's agreement with itself.
    const judgement = collected.judgements.get(id)?.[0];
    if (!judgement) return [];
    const { score } = judgement;
    return [
      {
        row: {
          ...row(id, document, 'judge', judgeStage.studentPrompt({ document, text }), judgeStage.completion(judgement)),
          score,
        },
        split,
        text,
        source: document.text,
        score,
      },
    ];
  });
}

function row(
  id: string,
  document: SourceDocument,
  stage: StageName,
  prompt: SftRow['prompt'],
  completion: string,
  pair?: GenreAudience,
): SftRow {
  return { id, doc_id: document.id, stage, prompt, completion: [{ role: 'assistant', content: completion }], ...pair };
}

function meanScore(collected: Collected, id: string): number | null {
  const scores = collected.judgements.get(id) ?? [];
  return scores.length === 0 ? null : scores.reduce((sum, { score }) => sum + score, 0) / scores.length;
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => compare(a, b));
}

/** Shorter first, so that `d/2` comes before `d/10`; then by code unit, which no locale changes. */
function compare(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
