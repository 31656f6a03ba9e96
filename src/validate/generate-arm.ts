/** An arm's answers to a stage's inputs: by a model on this machine, or by a server. */

import { generate } from '../generate/generate.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import type { GenerateArm } from './arm-task.ts';
import { labelConfidence } from './label-confidence.ts';
import { loadArm } from './open-arm.ts';
import { askServer } from './server-arm.ts';

/** Answers with the arm's model. The same input has the same random stream in every arm. */
export const generateArm: GenerateArm = async function* (task, context) {
  const { recipe, origin, stage, prompts, settings, finished } = task;
  if (origin.kind === 'teacher') throw new TypeError('internal: the teacher has answered already');
  if (origin.kind === 'server') {
    yield* askServer(task, origin.server, context);
    return;
  }
  const { model, modelFolder } = await loadArm(origin, context);
  const labels = stage.labels?.fields;
  const tokenizer = await loadTokenizer(modelFolder);
  const requests = prompts.map(({ item, messages }) => ({
    id: item,
    prompt: tokenizer.chatPrompt(messages),
    seed: `${recipe.seed}/validate/${item}`,
  }));
  const options = {
    ...context,
    eosTokenIds: tokenizer.eosTokenIds,
    logprobs: labels !== undefined,
    ...(finished && { finished: (tokens: readonly number[]) => finished(tokenizer.decode(tokens)) !== undefined }),
  };
  for await (const { id, tokens, complete, logprobs = [], seconds } of generate(model, requests, settings, options)) {
    const response = tokenizer.decode(tokens);
    const text = finished?.(response) ?? response;
    const written = logprobs.map((logprob, i) => ({ end: tokenizer.decode(tokens.slice(0, i + 1)).length, logprob }));
    const confidence = labels && { confidence: labelConfidence(text, labels, written) };
    yield { item: id, text, ...confidence, stopped: complete, tokens: tokens.length, seconds };
  }
};
