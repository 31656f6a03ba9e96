/** A stage: one job of the labeler that a student can learn. Prompt, response format and parser in one definition. */

export type StageName = 'pairs' | 'reformulate' | 'judge';

export const STAGE_NAMES: readonly StageName[] = ['pairs', 'reformulate', 'judge'];

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

export type Parsed<T> = { ok: true; value: T } | { ok: false; reason: string };

/** One stage. `I` is what goes in besides nothing else, `O` what a valid response means. */
export interface Stage<I, O> {
  readonly name: StageName;
  /** Part of a request's identity: a changed prompt asks again. */
  readonly promptVersion: string;
  /** The full instruction for an LLM, the document first. */
  teacherPrompt(input: I): ChatMessage[];
  /** The short instruction a student is trained on, the document first (shared prefix of all stages). */
  studentPrompt(input: I): ChatMessage[];
  /** Lenient reading, strict validation. */
  parse(response: string): Parsed<O>;
  /** A student's response up to where it holds all that is asked for: generation ends there. Undefined before. */
  finished?(response: string): string | undefined;
  /** What a student is trained to answer for a valid output. */
  completion(output: O): string;
  /** Tokens a response may have. */
  readonly maxTokens: number;
}
