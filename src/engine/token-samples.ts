/** SFT rows as token sequences. */

import type { SftRow } from '../curate/sft-row.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import type { TokenSequence } from './pack.ts';

export interface TokenSample extends TokenSequence {
  readonly id: string;
  readonly docId: string;
}

export interface TokenizedRows {
  readonly samples: readonly TokenSample[];
  /** Rows left out because they are longer than allowed. */
  readonly tooLong: number;
}

/** Tokenizes rows with the model's chat template; labels begin at the completion. */
export function tokenizeRows(rows: readonly SftRow[], tokenizer: Tokenizer, maxTokens: number): TokenizedRows {
  const samples: TokenSample[] = [];
  for (const row of rows) {
    const { tokens, promptLength } = tokenizer.chatSample(row.prompt, row.completion);
    if (tokens.length <= maxTokens) samples.push({ id: row.id, docId: row.doc_id, tokens, labelsFrom: promptLength });
  }
  return { samples, tooLong: rows.length - samples.length };
}
