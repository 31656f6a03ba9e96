/** The judge without a key: boosted regression on surface features, fitted to an LLM's recorded judgements. */

import { existsSync, readFileSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { SourceDocument } from '../stage/stage.ts';
import type { Logistic } from '../statistics/logistic.ts';
import { HARD_KINDS } from './agreement.ts';
import { type BoostedTrees, fitBoostedTrees, predictBoosted } from './boosted-trees.ts';
import { type Calibration, fitCutPoints, levelOf } from './cut-points.ts';
import { FEATURE_NAMES, type Source, sourceOf, surfaceFeatures } from './features.ts';
import type { JudgeReport } from './judge.ts';
import { fitSureness, type SureJudge, type SurePair, surenessOf } from './sureness.ts';

/** A text with the reference judge's score. */
export interface JudgeSample {
  document: SourceDocument;
  text: string;
  score: number;
  /** `base` are the teacher's own texts; `student` and `flawed` the hard ones. */
  kind: string;
  /** Who wrote it, where known. */
  model?: string;
}

/** A fitted local judge, as kept in JSON. */
export interface LocalModel {
  format: typeof FORMAT;
  features: string[];
  /** Several fits on other draws, averaged. */
  fits: BoostedTrees[];
  cuts: number[];
  /** From an expected score to the probability that the reference judge gives 3 or more. */
  passing: Logistic;
}

const FORMAT = 'mga-local-judge-2';

/** Averaging steadies what row and feature draws leave to chance. */
const FITS = 3;
const FOLDS = 5;
/** Student-made texts are what the table is made of. */
const STUDENT_WEIGHT = 2;
/** The teacher's own texts, many and nearly all at 5, weigh together this much of what the hard texts weigh. */
const TEACHER_SHARE = 0.5;
/** Kinds that are easy to tell matter less for the cut points. */
const EASY_CALIBRATION = 0.3;

/**
 * Fits the regression and its cut points; the cut points come from predictions for documents left out of the fit (5 folds by document), so that they
 * are right for texts not seen. Pass samples of training documents only.
 *
 * @throws UserError where there is nothing to learn from
 */
export function fitLocalJudge(samples: readonly JudgeSample[], options: { seed: number }): LocalModel {
  if (samples.length === 0) {
    throw new UserError(
      'Cannot fit the local judge: no judged texts of training documents',
      'Collect the stage judge, or set validate.judge.kind to teacher',
    );
  }
  const rows = rowsOf(samples);
  const fitWhere = (keep: (row: Row) => boolean, ...name: (string | number)[]) =>
    Array.from({ length: FITS }, (_, i) => fitRows(rows.filter(keep), options.seed, ...name, i));
  const documents = randomStream(options.seed, 'judge-folds').shuffle([...new Set(rows.map((row) => row.docId))]);
  const foldOf = new Map(documents.map((docId, i) => [docId, i % FOLDS]));
  const calibration: Calibration[] = [];
  for (let fold = 0; fold < Math.min(FOLDS, documents.length); fold++) {
    const fits = fitWhere((row) => foldOf.get(row.docId) !== fold || documents.length === 1, 'fold', fold);
    for (const row of rows.filter((row) => foldOf.get(row.docId) === fold))
      calibration.push({
        expected: expectedScore(fits, row.features),
        score: row.score,
        weight: row.calibrationWeight,
      });
  }
  return {
    format: FORMAT,
    features: [...FEATURE_NAMES],
    fits: fitWhere(() => true, 'all'),
    cuts: fitCutPoints(calibration),
    passing: fitSureness(calibration),
  };
}

interface Row {
  docId: string;
  features: number[];
  score: number;
  weight: number;
  calibrationWeight: number;
}

function rowsOf(samples: readonly JudgeSample[]): Row[] {
  const count = (test: (sample: JudgeSample) => boolean) => samples.filter(test).length;
  const hard = count((sample) => HARD_KINDS.includes(sample.kind));
  const teacher = count((sample) => sample.kind === 'base');
  const teacherWeight = hard === 0 || teacher === 0 ? 1 : Math.min(1, (TEACHER_SHARE * hard) / teacher);
  const vectors = featureVectors(samples.map(({ document, text }) => ({ document, text })));
  return samples.map(({ document, kind, score }, i) => ({
    docId: document.id,
    features: vectors[i]!,
    score,
    weight: kind === 'base' ? teacherWeight : kind === 'student' ? STUDENT_WEIGHT : 1,
    calibrationWeight: kind === 'base' ? teacherWeight : HARD_KINDS.includes(kind) ? 1 : EASY_CALIBRATION,
  }));
}

/** Feature vectors in the order of FEATURE_NAMES; each document is prepared once. */
function featureVectors(texts: readonly { document: SourceDocument; text: string }[]): number[][] {
  const sources = new Map<string, Source>();
  return texts.map(({ document, text }) => {
    const source = sources.get(document.id) ?? sourceOf(document.text);
    sources.set(document.id, source);
    const features = surfaceFeatures(text, source);
    return FEATURE_NAMES.map((name) => features[name]!);
  });
}

function fitRows(rows: readonly Row[], seed: number, ...name: (string | number)[]): BoostedTrees {
  const data = {
    features: rows.map((row) => row.features),
    targets: rows.map((row) => row.score),
    weights: rows.map((row) => row.weight),
  };
  return fitBoostedTrees(data, randomStream(seed, 'local-judge', ...name));
}

function expectedScore(fits: readonly BoostedTrees[], features: readonly number[]): number {
  const sum = fits.reduce((total, fit) => total + predictBoosted(fit, features), 0);
  return Math.min(5, Math.max(1, sum / fits.length));
}

/** Level 1..5, expected score, and how sure the side of 3 is, of each text. */
export function localScores(
  model: LocalModel,
  texts: readonly { document: SourceDocument; text: string }[],
): { level: number; expected: number; sureness: number }[] {
  return featureVectors(texts).map((features) => {
    const expected = expectedScore(model.fits, features);
    const level = levelOf(expected, model.cuts);
    return { level, expected, sureness: surenessOf(model.passing, expected, level) };
  });
}

/** The fitted model behind the seam. An empty text scores 1 like any other text without a point of the original. */
export function localJudge(
  model: LocalModel,
  report: Omit<JudgeReport, 'kind'>,
  heldOut: readonly SurePair[] = [],
): SureJudge {
  const scoreSurely: SureJudge['scoreSurely'] = async (items, signal) => {
    if (signal.aborted) throw new InterruptedError();
    return localScores(model, items);
  };
  return {
    kind: 'local',
    describe: () => ({ kind: 'local', ...report }),
    score: async (items, signal) => (await scoreSurely(items, signal)).map(({ level }) => level),
    scoreSurely,
    heldOut,
  };
}

export function saveLocalModel(path: string, model: LocalModel): void {
  writeFileAtomic(path, `${JSON.stringify(model)}\n`);
}

/** A saved model, or undefined where there is none or it was fitted on other features. */
export function loadLocalModel(path: string): LocalModel | undefined {
  if (!existsSync(path)) return undefined;
  const model = JSON.parse(readFileSync(path, 'utf8')) as LocalModel;
  const current = model.format === FORMAT && model.features.join() === FEATURE_NAMES.join();
  return current ? model : undefined;
}
