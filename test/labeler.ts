/** A labeler without a mind: answers of every stage that depend on the request alone, for tests and benches of any size. */

import type { ChatMessage } from '../src/stage/stage.ts';

export interface LabelerAnswer {
  text: string;
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

/**
 * @param key hex digest that names the request: different requests get different answers
 * @param messages tell the stage
 */
export function labelerAnswer(key: string, messages: readonly ChatMessage[]): LabelerAnswer {
  const prompt = messages.at(-1)!.content;
  const text = textOf(key, prompt);
  const [promptTokens, completionTokens] = [Math.ceil(prompt.length / 4), Math.ceil(text.length / 4)];
  return {
    text,
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
    },
  };
}

function textOf(key: string, prompt: string): string {
  const tag = key.slice(0, 8);
  if (prompt.includes('<rewrite-')) {
    return `{"A": {"analysis": "Compared ${tag}.", "score": ${1 + (Number.parseInt(tag, 16) % 5)}}}`;
  }
  if (/\nAudience: .*$/.test(prompt)) return `A rewrite named ${tag}. ${'It keeps to the point. '.repeat(6)}`.trim();
  const pairs = [1, 2, 3, 4, 5].flatMap((k) => [
    `"audience_${k}": "Readers ${k} of ${tag}, who want to know."`,
    `"genre_${k}": "Genre ${k} of ${tag}: short sentences, plain words."`,
  ]);
  return `{${pairs.join(', ')}}`;
}

/** Documents of about `characters`, as lines of a corpus file. Every hundredth has the text of the one before it. */
export function labelerCorpus(count: number, characters = 400): string {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const number = i % 100 === 99 ? i - 1 : i;
    const sentence = `Document ${number} tells what happened in the year ${1000 + number}. `;
    const text = sentence.repeat(Math.ceil(characters / sentence.length)).trim();
    lines.push(JSON.stringify({ id: `doc-${String(i).padStart(5, '0')}`, text }));
  }
  return `${lines.join('\n')}\n`;
}
