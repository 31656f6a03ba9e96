/** The block under a table: what speaks for its scores, and what against. */

import type { CanaryReport } from '../collect/canaries.ts';
import { type JudgingReport, spreadOf } from '../collect/judging-report.ts';
import { randomStream } from '../foundation/random.ts';
import type { CascadeReport } from '../judge/cascade.ts';
import type { JudgeKind } from '../judge/judge.ts';
import { modelFamily } from '../judge/model-family.ts';
import { type RaterAgreement, raterAgreement } from '../statistics/rater-agreement.ts';
import type { RatedPair } from '../statistics/weighted-kappa.ts';
import { type CascadeOutputs, cascadeOutputs } from './cascade-outputs.ts';
import type { Contamination } from './contamination.ts';
import type { FurtherScores } from './further-scores.ts';
import { type HumanCorrection, humanCorrection } from './human-correction.ts';
import { type LengthEffect, lengthEffect } from './length-effect.ts';
import { COLLECTED_ARM } from './ratings.ts';
import { reliabilitySentences } from './reliability-sentences.ts';
import { NO_SCORE } from './score-outputs.ts';
import { PASSING_SCORE, type ScoredItem } from './scored-item.ts';
import { type StageTable, stageTable, type TableOptions, type TableRow } from './table.ts';

/** Names as in table1.json; a part is absent where nothing is known of it. */
export interface Reliability {
  /** This judge against the reference judge on the texts of the table's confusion matrix. */
  reference?: { alpha: number | null; ac2: number | null };
  /** The reference judge asked twice about the same text: no judge that learnt from it can agree better. */
  repeats?: RaterAgreement & { spread: number };
  /** Texts kept for training, judged again: the kept ones' scores fall, because a threshold selects lucky scores. */
  shrinkage?: { texts: number; kept: number; again: number };
  /** What the LLM of a cascade was asked about, and the price of that. */
  cascade?: CascadeOutputs & Pick<CascadeReport, 'below' | 'held_out'>;
  second?: RaterAgreement & { rows: SecondRow[] };
  human?: (HumanCorrection & { arm: string; model: string })[];
  /** People against each other, on outputs that several rated. */
  raters?: RaterAgreement;
  length?: LengthEffect;
  /** Texts with planted faults, shown to this judge. */
  canaries?: CanaryReport;
  /** What collect found out about the judge that chose the training texts. */
  filter_judge?: JudgingReport;
  /** Validation documents that training documents hold, too. */
  contamination?: Contamination;
  warnings: string[];
  /** All of the above in words. */
  sentences: string[];
}

/** One arm on the outputs that both judges scored. */
interface SecondRow {
  arm: string;
  model: string;
  diff: number;
  second_diff: number;
  verdict: string;
  second_verdict: string;
}

type Findings = Omit<Reliability, 'warnings' | 'sentences'>;

export interface ReliabilitySources {
  table: StageTable;
  items: readonly ScoredItem[];
  options: TableOptions;
  second?: FurtherScores | undefined;
  human?: FurtherScores | undefined;
  /** Ratings of one output by two people. */
  raters?: readonly RatedPair[];
  /** The teacher's texts with the scores that chose the training texts, for what people say of these. */
  collected?: readonly ScoredItem[];
  /** Scores of one text by the reference judge, in the order given. */
  repeats?: readonly { docId: string; scores: readonly number[] }[];
  /** Lowest first score of a text that was kept for training. */
  keptFrom?: number;
  canaries?: CanaryReport | undefined;
  filterJudge?: JudgingReport;
  /** Where an LLM judges. */
  models?: { judge: string; labeler: string; alsoFilters: boolean };
  contamination?: Contamination;
}

/** Above this share at one level the judge cannot tell good from better. */
const CEILING = 0.7;
const FEWEST_LEVELS = 3;
/** Judges that were fitted to another judge's scores. */
const LEARNT: readonly JudgeKind[] = ['local', 'student', 'combined', 'cascade'];
/** A judge that lets more of them pass does not read the source. */
const CANARIES_CAUGHT = 0.8;

export function reliabilityOf(sources: ReliabilitySources): Reliability {
  const { table, items, options, human, canaries, contamination, filterJudge } = sources;
  const { seed, resamples } = options;
  const random = (name: string) => ({ random: randomStream(seed, 'reliability', name), resamples });
  const repeated = (sources.repeats ?? []).filter(({ scores }) => scores.length > 1);
  const repeats = raterAgreement(
    // Every pair of repeats; kappa's interval is over documents, so that they need not be independent.
    repeated.flatMap(({ docId, scores }) =>
      scores.flatMap((first, i) => scores.slice(i + 1).map((second): RatedPair => ({ docId, first, second }))),
    ),
    random('repeats'),
  );
  const kept = repeated.filter(({ scores }) => scores[0]! >= (sources.keptFrom ?? Number.POSITIVE_INFINITY));
  const second = sources.second && secondJudge(sources, sources.second, random('second'));
  const cascade = table.judge.cascade && cascadeOutputs(items);
  const raters = raterAgreement(sources.raters ?? [], random('raters'));
  const length = lengthEffect(items, table.reference, { seed, resamples });
  const reference = table.judge.confusion && raterAgreement(ratedPairs(table.judge.confusion), random('reference'));
  const known: Findings = {
    ...(reference && { reference: { alpha: reference.alpha, ac2: reference.ac2 } }),
    ...(repeats && {
      repeats: { ...repeats, texts: repeated.length, spread: spreadOf(repeated.map(({ scores }) => scores)) },
    }),
    ...(kept.length > 0 && {
      shrinkage: {
        texts: kept.length,
        kept: mean(kept.map(({ scores }) => scores[0]!)),
        again: mean(kept.map(({ scores }) => scores[1]!)),
      },
    }),
    ...(cascade && { cascade: { ...table.judge.cascade!, ...cascade } }),
    ...(second && { second }),
    ...(human && { human: corrections([...items, ...(sources.collected ?? [])], human, table.reference, options) }),
    ...(raters && { raters }),
    ...(length && { length }),
    ...(canaries && { canaries }),
    ...(filterJudge && Object.keys(filterJudge).length > 0 && { filter_judge: filterJudge }),
    ...(contamination && { contamination }),
  };
  const block = { ...known, warnings: warningsOf(table, known, sources.models) };
  return { ...block, sentences: reliabilitySentences(block) };
}

/** A confusion matrix taken apart again; alpha and AC2 do not ask for documents. */
function ratedPairs(confusion: readonly (readonly number[])[]): RatedPair[] {
  return confusion.flatMap((row, i) =>
    row.flatMap((count, j) => Array.from({ length: count }, () => ({ docId: '', first: i + 1, second: j + 1 }))),
  );
}

/** Both judges on the inputs that the second one saw of every arm. */
function secondJudge(
  { table, items, options }: ReliabilitySources,
  other: FurtherScores,
  bootstrap: Parameters<typeof raterAgreement>[1],
): Reliability['second'] {
  const arms = new Set(items.map((item) => `${item.arm}\u0000${item.model}\u0000${item.seed ?? 0}`)).size;
  const seen = new Map<string, number>();
  for (const item of items) if (other(item) !== undefined) seen.set(item.item, (seen.get(item.item) ?? 0) + 1);
  const both = items.filter((item) => seen.get(item.item) === arms);
  const pairs = both.flatMap((item): RatedPair[] => {
    const score = other(item);
    return item.score === null || typeof score !== 'number'
      ? []
      : [{ docId: item.doc_id, first: item.score, second: score }];
  });
  const agreement = raterAgreement(pairs, bootstrap);
  if (!agreement) return undefined;
  const settings = { ...options, reference: table.reference };
  const ours = stageTable(table.stage, both, settings);
  const theirs = stageTable(
    table.stage,
    both.map((item) => ({ ...item, score: other(item) ?? null })),
    settings,
  );
  const rows = ours.rows.flatMap((row, i): SecondRow[] => {
    const same = theirs.rows[i]!;
    return row.verdict === undefined
      ? []
      : [
          {
            arm: row.arm,
            model: row.model,
            diff: row.diff!,
            second_diff: same.diff!,
            verdict: row.verdict,
            second_verdict: same.verdict!,
          },
        ];
  });
  return { ...agreement, rows };
}

function corrections(
  items: readonly ScoredItem[],
  human: FurtherScores,
  reference: string,
  { seed, resamples }: TableOptions,
) {
  const arms = new Map<string, ScoredItem[]>();
  for (const item of items) {
    const key = `${item.arm}\u0000${item.model}`;
    const own = arms.get(key) ?? [];
    arms.set(key, own);
    own.push(item);
  }
  const labelled = (own: readonly ScoredItem[]) =>
    own.map((item) => {
      const label = human(item);
      const failed = item.score === null && item.reason !== undefined && item.reason !== NO_SCORE;
      const given = typeof label === 'number' ? { human: label } : {};
      return { docId: item.doc_id, score: item.score, failed, ...given };
    });
  const held = [...arms.values()].find((own) => own[0]!.arm === reference);
  return [...arms.values()].map((own) => {
    const { arm, model } = own[0]!;
    // The collected texts are other inputs, and their judge is another one.
    const against = held === undefined || arm === reference || arm === COLLECTED_ARM ? undefined : labelled(held);
    return { arm, model, ...humanCorrection(labelled(own), PASSING_SCORE, { seed, resamples }, against) };
  });
}

function warningsOf(
  table: StageTable,
  { second, human, length, canaries, contamination }: Findings,
  models: ReliabilitySources['models'],
): string[] {
  const { kind } = table.judge;
  return [
    ...(kind === 'teacher' || kind === 'cascade' ? kinship(models) : []),
    ...(LEARNT.includes(kind)
      ? [
          "The judge learnt from the teacher's own judgements, which also chose the training texts: it inherits their taste.",
        ]
      : []),
    ...table.rows.flatMap((row) => ceiling(row)),
    ...(length && (length.slope_ci[0] > 0 || length.slope_ci[1] < 0)
      ? [
          `Length counts: a text twice as long passes ${points(length.slope)} points ${length.slope > 0 ? 'more' : 'less'} often.`,
        ]
      : []),
    ...(human ?? [])
      .filter(({ rate, corrected_ci }) => corrected_ci && (rate < corrected_ci[0] || rate > corrected_ci[1]))
      .map(
        ({ arm, rate, corrected }) =>
          `People disagree with the judge's Rate(>=3) of ${arm}: ${percent(rate)} by the judge, ${percent(corrected!)} as they would rate.`,
      ),
    ...(second?.rows ?? [])
      .filter((row) => row.verdict !== row.second_verdict)
      .map(
        (row) => `The second judge changes the verdict of ${row.arm}: ${row.verdict} becomes ${row.second_verdict}.`,
      ),
    ...(contamination?.suspects ?? []).map(
      ({ doc_id, train_doc_id, share }) =>
        `Validation document ${doc_id} stands to ${Math.round(100 * share)}% in training document ${train_doc_id}.`,
    ),
    ...(canaries && canaries.caught < CANARIES_CAUGHT
      ? [
          `The judge did not catch ${canaries.texts - Math.round(canaries.caught * canaries.texts)} of ${canaries.texts} texts with planted faults.`,
        ]
      : []),
  ];
}

/** What the judge has in common with the labeler, and with the judge that chose the training texts. */
function kinship(models: ReliabilitySources['models']): string[] {
  const isLabeler = models === undefined || models.judge === models.labeler;
  const family = models && modelFamily(models.judge);
  return [
    ...(isLabeler
      ? ['The judge is the LLM whose texts the students learnt from: judges favour their own family.']
      : []),
    ...(!isLabeler && family !== undefined && family === modelFamily(models.labeler)
      ? [
          `The judge ${models.judge} and the labeler ${models.labeler} are of one family (${family}): judges favour their own.`,
        ]
      : []),
    ...(models?.alsoFilters
      ? [
          'The judge also chose the training texts: its errors are in them. Name another one, or another prompt, in validate.judge.',
        ]
      : []),
  ];
}

function ceiling({ arm, counts }: TableRow): string[] {
  if (counts === undefined) return [];
  const scored = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const levels = Object.values(counts).filter((count) => count > 0).length;
  if (scored === 0 || (counts['5'] / scored <= CEILING && levels >= FEWEST_LEVELS)) return [];
  return [
    counts['5'] / scored > CEILING
      ? `Ceiling: ${Math.round((100 * counts['5']) / scored)}% of the scores of ${arm} are 5.`
      : `The scores of ${arm} use ${levels} of 5 levels.`,
  ];
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
const percent = (share: number) => `${(100 * share).toFixed(1)}%`;
const points = (share: number) => Math.abs(100 * share).toFixed(1);
