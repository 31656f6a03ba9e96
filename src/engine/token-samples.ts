/** SFT rows as token sequences. */

import type { SftRow } from '../curate/sft-row.ts';
import { UserError } from '../foundation/errors.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import type { SoftLabel, TokenSequence } from './pack.ts';
import { type ScoreTokens, scoreTokens } from './score-tokens.ts';

export interface TokenSample extends TokenSequence {
  readonly id: string;
  readonly docId: string;
}

export interface TokenizedRows {
  readonly samples: readonly TokenSample[];
  /** Rows left out because they are longer than allowed. */
  readonly tooLong: number;
}

/**
 * Tokenizes rows with the model's chat template; labels begin at the completion. Where a row has a distribution over the scores, it takes the place of the
 * score's token.
 *
 * @throws UserError for a distribution beside a completion that is no score, or a tokenizer that does not tell the scores apart
 */
export function tokenizeRows(rows: readonly SftRow[], tokenizer: Tokenizer, maxTokens: number): TokenizedRows {
  const samples: TokenSample[] = [];
  let scores: ScoreTokens | undefined;
  for (const row of rows) {
    const { tokens, promptLength } = tokenizer.chatSample(row.prompt, row.completion);
    if (tokens.length > maxTokens) continue;
    const sample = { id: row.id, docId: row.doc_id, tokens, labelsFrom: promptLength };
    if (row.distribution === undefined) samples.push(sample);
    else {
      scores ??= scoreTokens(tokenizer);
      samples.push({ ...sample, soft: softLabel(row.id, row.distribution, sample, scores) });
    }
  }
  return { samples, tooLong: rows.length - samples.length };
}

function softLabel(
  id: string,
  shares: readonly number[],
  { tokens, labelsFrom }: TokenSequence,
  { lead, levels }: ScoreTokens,
): SoftLabel {
  const at = labelsFrom + lead.length;
  if (!levels.includes(tokens[at]!)) {
    throw new UserError(
      `Cannot train on row ${id}: it has a "distribution" over the scores, and its completion is no score from 1 to 5`,
      'Leave "distribution" out, or let the completion be the score alone',
    );
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  return { at, tokens: levels, shares: shares.map((share) => share / total) };
}
