/** On a tiny random model: nothing is learnt there, but every number has one right value. */

import { beforeAll, expect, test } from 'vitest';
import { Engine } from '../engine/engine.ts';
import { packSequences } from '../engine/pack.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { loadModel } from '../model/load.ts';
import { resolveModel } from '../model/resolve.ts';
import { f32Model } from '../model/runtime-model.ts';
import { loadTokenizer } from '../model/tokenizer.ts';
import { judgeStage, type Score } from '../stage/judge.ts';
import { type DistilledModel, expectedLevel, levelProbabilities } from './level-probabilities.ts';

let judge: DistilledModel;
beforeAll(async () => {
  const { folder } = await resolveModel('tiny-random', { emit: () => {} });
  judge = { model: { model: f32Model(loadModel(folder)) }, tokenizer: await loadTokenizer(folder), threads: 1 };
});

const document = (id: string) => ({ id, text: `Notes of ${id}. ${'A swift weighs roughly forty grams. '.repeat(6)}` });
const texts = [
  { document: document('a'), text: 'It weighs forty grams.' },
  { document: document('b'), text: 'Bread needs salt.' },
  { document: document('a'), text: 'It weighs four tons, and sings.' },
];
const signal = new AbortController().signal;

test('levelProbabilities() are the shares of the five answers, whoever is scored beside', async () => {
  const together = await levelProbabilities(judge, texts, signal);
  for (const [i, text] of texts.entries()) {
    const alone = (await levelProbabilities(judge, [text], signal))[0]!;
    expect(together[i]!.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 6);
    for (const [level, value] of alone.entries()) expect(together[i]![level]).toBeCloseTo(value, 5);
  }
});

test('levelProbabilities() agree with the loss of each answer by itself', async () => {
  const { tokenizer, model } = judge;
  const text = texts[2]!;
  const engine = new Engine(model.model, { threads: 1 });
  const losses: number[] = [];
  for (const score of [1, 2, 3, 4, 5] as Score[]) {
    const content = judgeStage.completion({ analysis: '', score });
    const { tokens, promptLength } = tokenizer.chatSample(judgeStage.studentPrompt(text), [
      { role: 'assistant', content },
    ]);
    const state = await engine.forward(packSequences([{ tokens, labelsFrom: promptLength }]), [], false);
    losses.push((await engine.loss(state)).losses[0]!);
  }
  await engine.release();
  const total = losses.reduce((sum, loss) => sum + Math.exp(-loss), 0);
  const [found] = await levelProbabilities(judge, [text], signal);
  for (const [i, loss] of losses.entries()) expect(found![i]).toBeCloseTo(Math.exp(-loss) / total, 4);
});

test('levelProbabilities() stop when told to, and refuse a tokenizer without digits', async () => {
  await expect(levelProbabilities(judge, texts, AbortSignal.abort())).rejects.toThrow(InterruptedError);
  const blind = { ...judge.tokenizer, chatSample: () => ({ tokens: [1, 2, 3], promptLength: 1 }) };
  await expect(levelProbabilities({ ...judge, tokenizer: blind }, texts, signal)).rejects.toThrow(UserError);
});

test('expectedLevel() is the mean of the levels', () => {
  expect(expectedLevel([0, 0.25, 0.5, 0, 0.25])).toBe(3.25);
});
