/** What judges are asked: every text as often as the recipe says, by each judge, and the canaries among them. */

import { contentHash } from '../foundation/hash.ts';
import type { SourceDocument } from '../stage/stage.ts';
import type { Canary } from './canaries.ts';
import type { Job } from './job.ts';
import type { Judges, LlmJudge } from './judges.ts';

/** A text and what it is judged against. */
export interface JudgedItem {
  item: string;
  document: SourceDocument;
  text: string;
}

/** Tokens a server is asked to weigh at each place: the five scores, however they are spelled. */
const TOP_LOGPROBS = 10;

/**
 * One text a request. Canaries come first, then all texts once, then their repeats, then the second judge: whatever stops the
 * run, as many texts as possible have a score.
 *
 * @param items read once for each round
 */
export function* judgeJobs(
  items: () => Iterable<JudgedItem>,
  canaries: readonly Canary[],
  { first, second }: Judges,
): Generator<Job> {
  for (const canary of canaries) yield { ...judgeJob(canary, first, 1), canary: canary.kind };
  for (let repeat = 1; repeat <= first.repeats; repeat++) {
    for (const item of items()) yield judgeJob(item, first, repeat);
  }
  if (second === undefined) return;
  for (const item of items()) yield { ...judgeJob(item, second, 1), second: true };
}

/** What is not asked for has no part in the identity: answers to the plain question stay valid. */
function judgeJob({ item, document, text }: JudgedItem, judge: LlmJudge, repeat: number): Job {
  const { name: model, stage, temperature, logprobs } = judge;
  const { name, promptVersion, maxTokens, responseSchema: schema } = stage;
  const messages = stage.teacherPrompt({ document, text });
  const params = { temperature, maxTokens, ...(logprobs ? { topLogprobs: TOP_LOGPROBS } : {}) };
  const again = repeat > 1 ? { repeat } : {};
  const key = contentHash({ stage: name, promptVersion, model, params, messages, ...again });
  const request = { key, stage: name, docId: document.id, item, messages, params, ...again, ...(schema && { schema }) };
  return { request, promptVersion, judge };
}
