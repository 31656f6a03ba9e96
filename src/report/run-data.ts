/** What a report knows of a run: typed, with every part that a run may lack either empty or undefined. */

import type { BreakEven } from '../price/break-even.ts';
import type { StudentSpeed } from '../price/student-speed.ts';
import type { JsonObject } from './read-artifact.ts';

export type Interval = readonly [low: number, high: number];

/** Who judged a stage, and how far that judge agrees with the reference judge on held-out texts. */
export interface JudgeFacts {
  kind: string;
  description?: string | undefined;
  /** Quadratic-weighted kappa. */
  kappa?: number | undefined;
  kappaInterval?: Interval | undefined;
  /** The same by kind of text (student-made, flawed, ...). */
  byKind: {
    kind: string;
    texts: number;
    kappa: number | undefined;
    kappaInterval: Interval | undefined;
    rateError: number | undefined;
  }[];
  /** Rows: score of the reference judge 1..5; columns: score of this judge 1..5. */
  confusion: number[][] | undefined;
  /** Of a cascade: outputs an LLM was asked about, of how many, what that cost and what the others would have cost (US dollars). */
  cascade: { asked: number; texts: number; usd: number | undefined; usdSaved: number | undefined } | undefined;
  /** Scalar fields this version does not know by name. */
  further: JsonObject;
}

/** A share of an arm's outputs, with its interval over documents. */
export interface ScaleShare {
  rate: number;
  interval: Interval | undefined;
}

/** One arm of a stage. Rates are shares (0..1) of `total`; differences are shares too, against the teacher's row. */
export interface TableRow {
  model: string;
  arm: string;
  total: number;
  /** Outputs by score 1..5. Undefined where the stage has no scores. */
  counts?: Readonly<Record<string, number>> | undefined;
  unscored?: number | undefined;
  /** Table 2: shares of `total` at the ends of the scale. */
  scale?: Record<'atMost2' | 'atLeast4' | 'exactly5', ScaleShare | undefined> | undefined;
  rate?: number | undefined;
  rateInterval?: Interval | undefined;
  diff?: number | undefined;
  diffInterval?: Interval | undefined;
  pValue?: number | undefined;
  /** After Holm over the arms of the table. */
  pAdjusted?: number | undefined;
  /** `pass`, `fail` or `undecided`. */
  verdict?: string | undefined;
  /** Validation documents still missing for a decision. */
  documentsNeeded?: number | undefined;
  copied?: number | undefined;
  complete?: number | undefined;
  usable?: number | undefined;
  usableInterval?: Interval | undefined;
  usableDiff?: number | undefined;
  usableDiffInterval?: Interval | undefined;
  /** Usable rate minus the untrained model's. */
  gain?: number | undefined;
  gainInterval?: Interval | undefined;
  further: JsonObject;
}

/** Table 1 of one stage. */
export interface StageTable {
  stage: string;
  judge: JudgeFacts;
  rows: TableRow[];
  /** What validate found for and against the scores, a sentence each; warnings apart. */
  warnings: string[];
  findings: string[];
  /** How two ratings of the same texts meet; rows of the matrix are the first one's levels 1..5. */
  confusions: { first: string; second: string; matrix: number[][] }[];
  /** Measured without a judge: rows by name, with the mean of each arm in the order of `rows`. */
  measures: { name: string; means: ({ mean: number; interval: Interval | undefined } | undefined)[] }[];
  /** Of label stages, a field each: what is right of the answers that each arm is sure of. */
  abstention: AbstentionCurves[];
}

/** One field's curves, an arm each, by rising threshold. `answered` and `accuracy` are shares. */
export interface AbstentionCurves {
  field: string;
  curves: {
    arm: string;
    points: { threshold: number; answered: number; accuracy: number; interval: Interval | undefined }[];
  }[];
}

/** How many samples of a stage were made, kept and dropped, and why. */
export interface StageFunnel {
  stage: string;
  /** Steps in order, each a subset of the one before. */
  steps: { label: string; count: number }[];
  dropped: { reason: string; count: number }[];
}

/** One of several rounds; shares are 0..1. */
export interface RoundFacts {
  round: number;
  documents: number | undefined;
  failed: number | undefined;
  /** Of the documents the round added; `trained` counts the training samples of all rounds so far. */
  funnel: {
    stage: string;
    asked: number | undefined;
    parsed: number | undefined;
    kept: number | undefined;
    trained: number | undefined;
  }[];
  /** Usable outputs, and those scored 3 or better. */
  dev: {
    stage: string;
    outputs: number | undefined;
    student: number | undefined;
    teacher: number | undefined;
    studentRate: number | undefined;
    teacherRate: number | undefined;
  }[];
  /** Over all stages. */
  usable: number | undefined;
  teacherUsable: number | undefined;
  gain: number | undefined;
  gainInterval: Interval | undefined;
  rejudged: {
    by: string;
    texts: number | undefined;
    mean: number | undefined;
    meanAgain: number | undefined;
    rate: number | undefined;
    rateAgain: number | undefined;
    lost: number | undefined;
  }[];
}

export interface RoundsFacts {
  rounds: RoundFacts[];
  /** Whose students are those of the run; undefined before the end. */
  chosen: number | undefined;
  warnings: string[];
}

export interface StudentFacts {
  name: string;
  stages: string[];
  /** Training loss after each step, nats a completion token. */
  losses: { step: number; loss: number }[];
  devLosses: { step: number; loss: number }[];
  /** The manifest's facts; undefined while training is not complete. */
  facts: JsonObject | undefined;
}

/** One line of the cost and time table. */
export interface TimeLine {
  what: string;
  seconds: number | undefined;
  detail: string;
}

/** What one stage at one model has cost so far. */
export interface StageSpend {
  stage: string;
  model: string;
  answers: number;
  promptTokens: number;
  completionTokens: number;
  /** US dollars; undefined where no answer has a known price. */
  usd: number | undefined;
  /** Mean time to an answer that did not come by batch; undefined where all did, or none was waited for. */
  secondsPerAnswer: number | undefined;
}

export interface Spend {
  stages: StageSpend[];
  /** Requests given up. */
  failures: number;
}

/** What an arm answered for one item, and how that was scored. */
export interface SampleOutput {
  text: string;
  score: number | null;
  reason?: string | undefined;
  usable?: boolean | undefined;
  copied?: boolean | undefined;
  complete?: boolean | undefined;
}

export interface Sample {
  stage: string;
  docId: string;
  item: string;
  genre?: string | undefined;
  audience?: string | undefined;
  outputs: Record<string, SampleOutput>;
}

export interface SourceText {
  id: string;
  title: string;
  text: string;
}

/** Numbers of outputs by score for one arm of one stage; `none` are the unscored. */
export interface ScoreHistogram {
  stage: string;
  arm: string;
  total: number;
  counts: Record<'5' | '4' | '3' | '2' | '1' | 'none', number>;
}

/** A text's place in both pictures. */
export interface EmbeddedPoint {
  kind: string;
  tsne: readonly [number, number];
  umap: readonly [number, number];
}

/** Where the texts of all arms lie (validation/embeddings.json). */
export interface Embeddings {
  model: string;
  documents: number;
  documentsInAll: number;
  kinds: {
    kind: string;
    texts: number;
    similarity: { mean: number; interval: Interval | undefined } | undefined;
    spread: { mean: number; interval: Interval | undefined } | undefined;
  }[];
  points: EmbeddedPoint[];
}

/** Two checkpoints on the same texts (collapse.json). Losses in nats, positions as shares of a text's length. */
export interface Collapse {
  real: string;
  synthetic: string;
  texts: number;
  tokens: number;
  k: number | undefined;
  window: { share: number | undefined; direction: string | undefined };
  loss: Record<'real' | 'synthetic', { mean: number; interval: Interval | undefined } | undefined>;
  lossdiff: { mean: number; interval: Interval | undefined } | undefined;
  std: number | undefined;
  /** Share of tokens with a lossdiff above 0. */
  aboveZero: number | undefined;
  anomalies: {
    /** Texts that have one. */
    texts: number;
    share: number | undefined;
    interval: Interval | undefined;
    median: number | undefined;
    /** Texts by equal parts of the length. */
    histogram: number[];
  };
  series: { from: number; to: number; mean: number; interval: Interval | undefined }[];
}

/** Students trained on parts of the samples (learning-curve/curve.json). */
export interface LearningCurve {
  points: {
    stage: string;
    samples: number;
    rate: number | undefined;
    rateInterval: Interval | undefined;
    usable: number | undefined;
    usableInterval: Interval | undefined;
    devLoss: number | undefined;
  }[];
  /** Teacher and untrained model. */
  references: { stage: string; arm: string; rate: number | undefined; usable: number | undefined }[];
}

export interface ReportData {
  name: string;
  description: string | undefined;
  seed: number;
  teacher: string;
  base: string;
  /** Non-inferiority margin in points (validate.margin). */
  margin: number;
  /** Newest completion time found in the run's manifests, ISO 8601. */
  finishedAt: string | undefined;
  version: string | undefined;
  documents: { train: number; dev: number; validation: number } | undefined;
  tables: StageTable[];
  funnels: StageFunnel[];
  /** Undefined where the run has one round. */
  rounds: RoundsFacts | undefined;
  students: StudentFacts[];
  histograms: ScoreHistogram[];
  /** Undefined where the recipe asked for none. */
  embeddings: Embeddings | undefined;
  /** Undefined where the folder holds no analysis. */
  collapse: Collapse | undefined;
  /** Undefined where none was made. */
  learningCurve: LearningCurve | undefined;
  times: TimeLine[];
  spend: Spend | undefined;
  /** Undefined where the run has no splits yet, or its corpus cannot be read. */
  breakEven: BreakEven | undefined;
  /** How fast the students answered in validation; undefined before that. */
  studentSpeed: StudentSpeed | undefined;
  /** All arms that appear in samples, in reading order. */
  arms: string[];
  samples: Sample[];
  sources: SourceText[];
  /** What the run folder lacks or what could not be read, one sentence each. */
  missing: string[];
  /** Text of recipe.yaml. */
  recipeText: string | undefined;
}
