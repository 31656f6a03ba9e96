/** A stage: one job of the labeler that a student can learn. Prompt, response format and parser in one definition. */

import type { JsonSchema } from '../recipe/json-schema.ts';
import type { LabelField } from '../recipe/label-fields.ts';
import type { StageDefinition } from '../recipe/stage-definition.ts';

/** A built-in stage or one that the recipe defines (recipe-stages.ts lists both). */
export type StageName = string;

export interface ChatMessage {
  role: 'system' | 'user' | 'assistant';
  content: string;
}

export interface SourceDocument {
  id: string;
  text: string;
  title?: string;
  domain?: string;
}

export interface GenreAudience {
  genre: string;
  audience: string;
}

export type { JsonSchema };

export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };

/** What a stage of labels is measured by. */
export interface StageLabels {
  readonly fields: readonly LabelField[];
  readonly metrics: StageDefinition['metrics'];
  /** Confidence under which a field counts as left open. */
  readonly abstainBelow?: number;
}

/** What is asked about once: a document, a pair of it, or a text that claims to be made from it. */
export type StageUnit = 'document' | 'pair' | 'text';

/** All that a stage can be given; which parts there are depends on its unit. */
export interface StageInput {
  document: SourceDocument;
  pair: GenreAudience;
  text: string;
}

/** One stage. `I` is what goes in besides nothing else, `O` what a valid response means. */
export interface Stage<I, O> {
  readonly name: StageName;
  readonly unit: StageUnit;
  /** Answers are running text: what is measured of texts and cleaned from them applies. */
  readonly prose: boolean;
  /** Part of a request's identity: a changed prompt asks again. */
  readonly promptVersion: string;
  /** The full instruction for an LLM, the document first. */
  teacherPrompt(input: I): ChatMessage[];
  /** The short instruction a student is trained on, the document first (shared prefix of all stages). */
  studentPrompt(input: I): ChatMessage[];
  /** Lenient reading, strict validation. */
  parse(response: string): Parsed<O>;
  /** What a response is, where it is JSON. Changed only together with `promptVersion`. */
  readonly responseSchema?: JsonSchema;
  /** A student's response up to where it holds all that is asked for: generation ends there. Undefined before. */
  finished?(response: string): string | undefined;
  /** What a student is trained to answer for a valid output. */
  completion(output: O): string;
  /** A valid output for people who watch. */
  show(output: O): { text: string; score?: number };
  /** Tokens a response may have. */
  readonly maxTokens: number;
  /** Answers are labels, measured against the teacher's instead of judged. */
  readonly labels?: StageLabels;
  /** Of a judge by a rubric of the recipe's own: the stage whose answers it scores. */
  readonly judges?: StageName;
  /** The teacher's sampling; default: the recipe's. */
  readonly temperature?: number;
}

/** A stage whose output is not looked into. */
export type AnyStage = Stage<StageInput, unknown>;
