/** Stage `reformulate`: a document rewritten for one genre and audience, its information kept. */

import type { ReformulatePromptName } from '../recipe/reformulate-prompt-names.ts';
import { delimited, studentDocument } from './document-block.ts';
import { REFORMULATE_PROMPT_TEXTS } from './reformulate-prompts.ts';
import { withoutThinking } from './response-json.ts';
import type { GenreAudience, Parsed, SourceDocument, Stage } from './stage.ts';

export interface ReformulateInput {
  document: SourceDocument;
  pair: GenreAudience;
}

/** The stage with the prompts of a variant; what an answer is stays the same. */
export function reformulateStageWith(prompt: ReformulatePromptName): Stage<ReformulateInput, string> {
  const { version, instruction, short } = REFORMULATE_PROMPT_TEXTS[prompt];
  const forPair = ({ genre, audience }: GenreAudience) => `Genre: ${genre}\nAudience: ${audience}`;
  return {
    name: 'reformulate',
    unit: 'pair',
    prose: true,
    promptVersion: version,
    maxTokens: 2048,
    teacherPrompt: ({ document, pair }) => [
      {
        role: 'user',
        content: `${delimited('document', document.text)}\n\n${instruction}\n\n${forPair(pair)}`,
      },
    ],
    studentPrompt: ({ document, pair }) => [
      { role: 'user', content: `${studentDocument(document)}${short}\n${forPair(pair)}` },
    ],
    parse: parseReformulation,
    completion: (text) => text,
    show: (text) => ({ text }),
  };
}

export const reformulateStage: Stage<ReformulateInput, string> = reformulateStageWith('base');

/** A line with which chat models announce their answer; what follows it is the text. */
const ANNOUNCEMENT = /^\s*(?:sure|certainly|of course|absolutely|here(?:'s| is| are)|below is)\b[^\n]{0,160}:\s*\n+/i;

/** A whole answer that declines. */
const REFUSAL = /^(?:i(?:'m| am) (?:sorry|unable)|i can(?:no|')t|sorry, (?:but )?i)\b/i;

/** The text of a response: thinking, an outer code fence and an announcing first line are taken off; refusals and empty texts are refused. */
export function parseReformulation(response: string): Parsed<string> {
  const bare = withoutFence(withoutThinking(response).trim());
  const text = withoutFence(bare.replace(ANNOUNCEMENT, '').trim());
  if (!/\p{L}/u.test(text)) return { ok: false, reason: 'no text in the response' };
  if (REFUSAL.test(text) && text.length < 400) return { ok: false, reason: 'the model declined' };
  return { ok: true, value: text };
}

function withoutFence(text: string): string {
  const fenced = text.match(/^```[a-z]*\s*\n([\s\S]*?)\n?```$/i);
  return fenced ? fenced[1]!.trim() : text;
}
