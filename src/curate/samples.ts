/** From collected answers to candidate training samples, before anything is dropped. */

import type { Collected } from '../collect/collected.ts';
import { hardNegative, NEGATIVE_KINDS } from '../collect/hard-negatives.ts';
import { togetherOf } from '../collect/judgement-of.ts';
import { UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { ReformulatePromptName } from '../recipe/reformulate-prompt-names.ts';
import { type Judgement, judgeStage } from '../stage/judge.ts';
import { pairsStage } from '../stage/pairs.ts';
import { reformulateStageWith } from '../stage/reformulate.ts';
import { expectedScore } from '../stage/score-distribution.ts';
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
  /** The judge's score, of several the median; null where nobody scored the text. Pairs are not scored. */
  readonly score: number | null;
  /** The mean behind the score: of several judgements, or of the judge's distribution over the scores. Absent where there is just one score. */
  readonly expected?: number;
  /** Who wrote the text: the teacher, the file of judge texts, or curate itself (hard negatives). */
  readonly origin: 'teacher' | 'judge-text' | 'made';
  /** Of a judge text. */
  readonly kind?: string;
}

export interface CandidateOptions {
  readonly seed: number;
  /** Hard negatives made of each document's texts for the stage `judge`. */
  readonly negatives: number;
  /** Whether the distributions of judgements go into the rows of `judge`. */
  readonly soft?: boolean;
  /** Variant of the reformulation prompt; default: base. */
  readonly reformulate?: ReformulatePromptName;
}

/** The candidates of a stage, by split, document (in the order of splits.json) and item: the same for the same answers, in whatever order they came. */
export function candidates(
  stage: StageName,
  collected: Collected,
  options: CandidateOptions = NO_NEGATIVES,
): Candidate[] {
  const items = itemsByDocument(collected);
  const judge: typeof judgeCandidates = (...of) => [
    ...judgeCandidates(...of).map((candidate) => (options.soft ? candidate : hardened(candidate))),
    ...madeCandidates(...of, items, options),
  ];
  const stageOfTexts = reformulateStageWith(options.reformulate ?? 'base');
  const makers: Record<StageName, typeof judgeCandidates> = {
    pairs: pairsCandidates,
    reformulate: (...of) => reformulateCandidates(stageOfTexts, ...of),
    judge,
  };
  const make = makers[stage];
  if (make === undefined) throw new TypeError(`internal: stage ${stage} has no candidates`);
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

const NO_NEGATIVES: CandidateOptions = { seed: 0, negatives: 0 };

interface Items {
  texts: string[];
  judged: { id: string; text: string; kind?: string }[];
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
  for (const { id, docId, text, kind } of [...collected.judgeTexts].sort((a, b) => compare(a.id, b.id))) {
    if (!heldOut.has(text)) of(docId).judged.push({ id, text, kind });
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
      origin: 'teacher',
    },
  ];
}

function reformulateCandidates(
  stage: ReturnType<typeof reformulateStageWith>,
  document: SourceDocument,
  split: TrainingSplit,
  collected: Collected,
  items: Items,
): Candidate[] {
  return items.texts.map((item) => {
    const { pair, text, finishReason } = collected.texts.get(item)!;
    const judgements = collected.judgements.get(item) ?? [];
    const score = togetherOf(judgements)?.score ?? null;
    const expected = meanScore(judgements);
    return {
      row: {
        ...row(item, document, 'reformulate', stage.studentPrompt({ document, pair }), text, pair),
        ...(score === null ? {} : { score }),
      },
      split,
      text,
      source: document.text,
      finishReason,
      score,
      ...(expected === undefined ? {} : { expected }),
      origin: 'teacher',
    };
  });
}

function judgeCandidates(
  document: SourceDocument,
  split: TrainingSplit,
  collected: Collected,
  items: Items,
): Candidate[] {
  return items.judged.flatMap(({ id, text, kind }) => {
    const judgement = togetherOf(collected.judgements.get(id) ?? []);
    if (!judgement) return [];
    const { score } = judgement;
    return [
      {
        row: {
          ...row(id, document, 'judge', judgeStage.studentPrompt({ document, text }), judgeStage.completion(judgement)),
          score,
          ...(judgement.distribution ? { distribution: judgement.distribution } : {}),
        },
        split,
        text,
        source: document.text,
        score,
        ...(kind === undefined ? { origin: 'teacher' as const } : { origin: 'judge-text' as const, kind }),
      },
    ];
  });
}

function hardened(candidate: Candidate): Candidate {
  const { distribution: _, ...hard } = candidate.row;
  return { ...candidate, row: hard };
}

/** A good text of the document, spoilt in `negatives` ways; what it is spoilt with comes from another document of the same split. */
function madeCandidates(
  document: SourceDocument,
  split: TrainingSplit,
  collected: Collected,
  own: Items,
  all: ReadonlyMap<string, Items>,
  { seed, negatives }: CandidateOptions,
): Candidate[] {
  const random = randomStream(seed, 'hard-negatives', document.id);
  const goodOf = (items: Items) =>
    items.texts.filter((item) => collected.judgements.get(item)?.[0]?.score === BEST_SCORE);
  const goods = random.shuffle(goodOf(own));
  const others = collected.splits[split].filter((id) => id !== document.id && all.has(id));
  if (goods.length === 0 || others.length === 0) return [];
  const made: Candidate[] = [];
  for (const kind of random.shuffle(NEGATIVE_KINDS)) {
    if (made.length === negatives) break;
    const other = goodOf(all.get(others[random.integer(others.length)]!)!)[0];
    if (other === undefined) continue;
    const good = collected.texts.get(goods[made.length % goods.length]!)!.text;
    const negative = hardNegative(kind, good, collected.texts.get(other)!.text, random);
    if (!negative) continue;
    const { text, score } = negative;
    const prompt = judgeStage.studentPrompt({ document, text });
    const completion = judgeStage.completion({ analysis: '', score });
    made.push({
      row: { ...row(`${document.id}/${kind}`, document, 'judge', prompt, completion), score },
      split,
      text,
      source: document.text,
      score,
      origin: 'made',
    });
  }
  return made;
}

const BEST_SCORE = 5;

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

/** Finer than the median; undefined where one judgement without a distribution is all there is. */
function meanScore(judgements: readonly Judgement[]): number | undefined {
  const distribution = togetherOf(judgements)?.distribution;
  if (distribution) return expectedScore(distribution);
  if (judgements.length < 2) return undefined;
  return judgements.reduce((sum, { score }) => sum + score, 0) / judgements.length;
}

function sorted<T>(map: ReadonlyMap<string, T>): [string, T][] {
  return [...map].sort(([a], [b]) => compare(a, b));
}

/** Shorter first, so that `d/2` comes before `d/10`; then by code unit, which no locale changes. */
function compare(a: string, b: string): number {
  return a.length - b.length || (a < b ? -1 : a > b ? 1 : 0);
}
