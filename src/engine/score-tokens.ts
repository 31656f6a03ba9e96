/** How a tokenizer writes the five scores of the stage `judge`. */

import { UserError } from '../foundation/errors.ts';
import type { Tokenizer } from '../model/tokenizer.ts';
import { judgeStage, type Score } from '../stage/judge.ts';

export interface ScoreTokens {
  /** Tokens all five answers begin with (mostly none). */
  lead: number[];
  /** The token by which each answer then differs, of the scores 1 to 5. */
  levels: number[];
}

const SCORES: readonly Score[] = [1, 2, 3, 4, 5];

/** @throws UserError where the tokenizer does not tell the scores apart by one token */
export function scoreTokens(tokenizer: Tokenizer): ScoreTokens {
  const prompt = judgeStage.studentPrompt({ document: { id: '', text: '' }, text: '' });
  const answers = SCORES.map((score) => {
    const content = judgeStage.completion({ analysis: '', score });
    const { tokens, promptLength } = tokenizer.chatSample(prompt, [{ role: 'assistant', content }]);
    return tokens.slice(promptLength);
  });
  const at = answers[0]!.findIndex((token, i) => answers.some((answer) => answer[i] !== token));
  const levels = answers.map((answer) => answer[at]!);
  if (at < 0 || new Set(levels).size !== SCORES.length) {
    throw new UserError(
      'Cannot judge with this student: its tokenizer writes two scores with one token',
      'Use a base model whose tokenizer has a token for each digit',
    );
  }
  return { lead: answers[0]!.slice(0, at), levels };
}
