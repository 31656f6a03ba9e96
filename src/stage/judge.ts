/** Stage `judge`: how far a rewritten text holds to its original, 1 to 5, by limited consistency. */

import { delimited, studentDocument } from './document-block.ts';
import { type JudgePrompt, judgeInstruction } from './judge-prompts.ts';
import { responseObjects, withoutThinking } from './response-json.ts';
import type { JsonSchema, Parsed, SourceDocument, Stage } from './stage.ts';

export interface JudgeInput {
  document: SourceDocument;
  /** The text that is judged against the document. */
  text: string;
}

export type Score = 1 | 2 | 3 | 4 | 5;

export interface Judgement {
  /** The judge's reasons. Empty where it gave a score alone. */
  analysis: string;
  score: Score;
  /** Shares of the scores 1 to 5 where the server gave the tokens it weighed; the score itself is what it wrote. */
  distribution?: number[];
}

/** The stage with a prompt of its own; what a student is asked and answers stays the same. */
export function judgeStageWith(prompt: JudgePrompt): Stage<JudgeInput, Judgement> {
  const { version, instruction } = judgeInstruction(prompt);
  return {
    ...judgeStage,
    promptVersion: version,
    teacherPrompt: ({ document, text }) => [
      {
        role: 'user',
        content: `${delimited('original', document.text)}\n\n${delimited('rewrite', text)}\n\n${instruction}`,
      },
    ],
  };
}

/** Reasons before the score: what is written first decides what follows. */
const JUDGEMENT_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    A: {
      type: 'object',
      properties: { analysis: { type: 'string' }, score: { type: 'integer', enum: [1, 2, 3, 4, 5] } },
      required: ['analysis', 'score'],
      additionalProperties: false,
    },
  },
  required: ['A'],
  additionalProperties: false,
};

export const judgeStage: Stage<JudgeInput, Judgement> = {
  name: 'judge',
  unit: 'text',
  prose: false,
  promptVersion: 'judge-1',
  maxTokens: 800,
  // A judge that is asked twice should answer twice the same.
  temperature: 0,
  teacherPrompt: (input) => judgeStageWith({ prompt: 'judge-1' }).teacherPrompt(input),
  studentPrompt: ({ document, text }) => [
    {
      role: 'user',
      content: `${studentDocument(document)}Rewrite:\n${text}\n\nFrom 1 to 5, how far does the rewrite keep to the document? Answer with the number alone.`,
    },
  ],
  parse: parseJudgement,
  responseSchema: JUDGEMENT_SCHEMA,
  // The number alone: its token's logits are the score's distribution, read in one pass (arXiv 2503.03064: the mean of the
  // distribution beats its mode, and reasons before the score narrow it).
  completion: ({ score }) => String(score),
  show: ({ analysis, score }) => ({ text: analysis, score }),
};

/** Reads a judgement. Only a whole number 1..5 (also as a text, `4` or `4/5`, or as the whole response) is a score; a missing one is unparsed, never low. */
export function parseJudgement(response: string): Parsed<Judgement> {
  const alone = readScore(withoutThinking(response));
  if (alone !== undefined) return { ok: true, value: { analysis: '', score: alone } };
  let reason = 'no complete JSON object in the response';
  for (const object of responseObjects(response)) {
    const inner = object.A ?? object.a;
    const fields = inner !== null && typeof inner === 'object' ? (inner as Record<string, unknown>) : object;
    const score = readScore(fields.score);
    if (score !== undefined) {
      return {
        ok: true,
        value: { analysis: typeof fields.analysis === 'string' ? fields.analysis.trim() : '', score },
      };
    }
    reason = fields.score === undefined ? 'no score' : `score ${JSON.stringify(fields.score)} is not one of 1 to 5`;
  }
  return { ok: false, reason };
}

function readScore(value: unknown): Score | undefined {
  const text = typeof value === 'string' ? value.match(/^\s*([1-5])(?:\s*\/\s*5)?\s*$/)?.[1] : undefined;
  const score = text === undefined ? value : Number(text);
  return score === 1 || score === 2 || score === 3 || score === 4 || score === 5 ? score : undefined;
}
