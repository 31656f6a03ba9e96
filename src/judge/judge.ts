/** Who scores student outputs: a seam with several implementations (surface regression, LLM teacher, distilled student). */

import type { SourceDocument } from '../stage/stage.ts';
import type { Interval } from '../statistics/wilson.ts';
import type { CascadeReport } from './cascade.ts';
import type { ComparedJudge } from './compare-judges.ts';

/** `combined` is the mean of `local` and `student`; `cascade` one of these, with an LLM where it is unsure. `validity` is no judge of texts: the share of well-formed responses stands in its place for the stage `pairs`, `labels` for answers that equal the teacher's. */
export type JudgeKind =
  | 'local'
  | 'teacher'
  | 'student'
  | 'combined'
  | 'cascade'
  | 'recorded'
  | 'validity'
  | 'labels'
  | 'unknown';

export interface JudgedText {
  /** Unique within one call of `score`. Carries no hint of who wrote the text: judging is blind. */
  id: string;
  document: SourceDocument;
  text: string;
}

export interface Judge {
  readonly kind: JudgeKind;
  describe(): JudgeReport;
  /** One score 1..5 a text, in the order given; null where the judge gave none. */
  score(items: readonly JudgedText[], signal: AbortSignal): Promise<(number | null)[]>;
  /** What else is known of a text that was scored before; only LLM judges and cascades know more. */
  detail?(id: string): JudgementDetail | undefined;
}

export interface JudgementDetail {
  /** Every score the judge gave the text, in order; the score is their median. None where it gave none. */
  scores: number[];
  /** Mean of its distribution over the scores, where token probabilities came back. */
  expected?: number;
  /** The second judge's score, where there is one; null where it gave none. */
  second?: number | null;
  /** US dollars for all its judgements, where a price is known. */
  usd?: number;
  /** Of a cascade: how sure the cheap judge was of its side of 3, and whether the LLM was asked. */
  sureness?: number;
  asked?: boolean;
}

/** Agreement on texts of one kind. Names as in table1.json. */
export interface KindAgreement {
  kind: string;
  texts: number;
  documents: number;
  /** Quadratic-weighted kappa; null where it is undefined (all scores alike). */
  kappa: number | null;
  kappa_ci: Interval | null;
  /** Share of equal scores. */
  exact: number;
  /** Rate(>=3) by this judge minus Rate(>=3) by the reference judge. */
  rate_error: number;
}

/** What stands over every table this judge made. */
export interface JudgeReport {
  kind: JudgeKind;
  /** One sentence for people. */
  description: string;
  /** Quadratic-weighted kappa with the reference judge on held-out student-made and flawed texts, and its interval over documents. */
  kappa?: number | null;
  kappa_ci?: Interval | null;
  /** Texts and documents behind `kappa`. */
  kappa_texts?: number;
  kappa_documents?: number;
  by_kind?: KindAgreement[];
  /** Rows: reference score 1..5; columns: this judge's score 1..5; on the texts behind `kappa`. */
  confusion?: number[][];
  /** Where a distilled judge was trained: the judges it was chosen from, on the same held-out texts. */
  compared?: ComparedJudge[];
  /** Of a cascade; what stands above is then of its cheap judge alone. */
  cascade?: CascadeReport;
}
