/** Rows as token sequences without the model's tokenizer: as many tokens as English text usually has. */

import type { SftRow } from '../../curate/sft-row.ts';
import type { TokenSample } from '../../engine/token-samples.ts';
import type { ChatMessage } from '../../stage/stage.ts';
import { CHARACTERS_PER_TOKEN } from '../../stage/stand-in.ts';

/** Equal beginnings give equal tokens, so that samples of a document share them here too. Rows longer than allowed are left out. */
export function standInTokens(rows: readonly SftRow[], vocabSize: number, maxTokens: number): TokenSample[] {
  return rows.flatMap(({ id, doc_id: docId, prompt, completion }) => {
    const asked = tokensOf(prompt, vocabSize);
    const tokens = [...asked, ...tokensOf(completion, vocabSize)];
    return tokens.length > maxTokens ? [] : [{ id, docId, tokens, labelsFrom: asked.length }];
  });
}

function tokensOf(messages: readonly ChatMessage[], vocabSize: number): number[] {
  const text = messages.map(({ content }) => content).join('\n');
  const tokens: number[] = [];
  for (let start = 0; start < text.length; start += CHARACTERS_PER_TOKEN) {
    let code = 0;
    for (const letter of text.slice(start, start + CHARACTERS_PER_TOKEN)) code = 31 * code + letter.codePointAt(0)!;
    tokens.push(code % vocabSize);
  }
  return tokens;
}
