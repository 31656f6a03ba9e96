/** One scored output: a line of validation/scores.jsonl. */

export interface ScoredItem {
  arm: string;
  model: string;
  stage: string;
  doc_id: string;
  /** The input within the stage: equal items of two arms are answers to the same input. */
  item: string;
  /** 1..5, or null where the output failed or the judge gave no score. */
  score: number | null;
  /** All scores where the judge was asked several times: `score` is their median. */
  scores?: number[];
  /** Mean of the judge's distribution over the scores, where it is known. */
  expected?: number;
  /** The second judge's score; null where it gave none, absent without one. */
  second?: number | null;
  /** Of a cascade of judges: how sure the cheap one was of its side of 3, and whether the LLM was asked instead. */
  sureness?: number;
  asked?: boolean;
  /** US dollars for an LLM's judgements of it, where a price is known. */
  usd?: number;
  /** Which of several trainings of one student answered; absent where there is one. */
  seed?: number;
  /** Why there is no score, or why an output is not valid. */
  reason?: string;
  /** Words of the text; absent where the text is not known. */
  words?: number;
  /** Measured without a judge, by name: see text-measures.ts. */
  measures?: Readonly<Record<string, number>>;
  /** More than half of it stands word for word in the source. */
  copied?: boolean;
  /** Stopped by itself, without a loop. */
  complete?: boolean;
  /** Score of 3 or more, not copied, complete. For `pairs`: valid. */
  usable?: boolean;
}

/** Lowest score that counts in Rate(>=3). */
export const PASSING_SCORE = 3;
