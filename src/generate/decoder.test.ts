import { describe, expect, it, vi } from 'vitest';
import { busyAdapter, drawTokens, loraOf, tinyWeights } from '../../test/tiny-models.ts';
import { f32Model } from '../model/runtime-model.ts';
import { Decoder, type GenerationModel } from './decoder.ts';

const weights = tinyWeights();
const { config } = weights;
const adapter = busyAdapter(config, { rank: 4, alpha: 8 });
const model: GenerationModel = {
  model: f32Model(weights),
  adapter: { layers: adapter.layers, ...loraOf(adapter) },
  settings: { threads: 2 },
};
const { signal } = new AbortController();
const document = drawTokens(150, 'document');
const prompt = [...document, ...drawTokens(30, 'rest')];

/** Logits after two steps of the sequence in `place`; the other places hold `company`. */
async function logitsIn(decoder: Decoder, place: number, company: readonly (readonly number[])[]) {
  const inputs: ({ token: number; position: number } | undefined)[] = [undefined, undefined, undefined];
  const others = [0, 1, 2].filter((other) => other !== place);
  for (const [i, tokens] of company.entries()) {
    await decoder.begin(others[i]!, tokens, 4, signal);
    inputs[others[i]!] = { token: tokens[tokens.length - 1]!, position: tokens.length - 1 };
  }
  await decoder.begin(place, prompt, 4, signal);
  inputs[place] = { token: prompt[prompt.length - 1]!, position: prompt.length - 1 };
  await decoder.step(inputs, signal);
  const next = inputs.map((input) => input && { token: 65, position: input.position + 1 });
  const logits = await decoder.step(next, signal);
  return logits.slice(place * config.vocabSize, (place + 1) * config.vocabSize);
}

describe('Decoder', () => {
  it('gives a sequence the same bits in any place, in any company, with a copied beginning or its own', async () => {
    const decoder = new Decoder(model, 3);
    const alone = await logitsIn(decoder, 0, []);
    const companies = [[drawTokens(9, 'short')], [[...document, 7], drawTokens(200, 'long')], [prompt, prompt]];
    for (const company of companies) {
      for (const place of [0, 1, 2]) expect(await logitsIn(decoder, place, company)).toEqual(alone);
    }
    await decoder.release();
    const fresh = new Decoder(model, 3);
    expect(await logitsIn(fresh, 2, companies[1]!)).toEqual(alone);
    await fresh.release();
  });

  it('encodes a common beginning once, also for a place that held it itself', async () => {
    const decoder = new Decoder(model, 3);
    const run = vi.spyOn(decoder.cache, 'run');
    /** Rows of the chunks that were run. */
    const encoded = async (place: number, tokens: readonly number[]) => {
      run.mockClear();
      await decoder.begin(place, tokens, 4, signal);
      const perLayer = run.mock.calls.filter(([key]) => key.startsWith('before-forward')).map(([key]) => key);
      return perLayer.filter((_, i) => i % config.layers === 0).map((key) => Number(key.split(' ')[1]));
    };
    expect(await encoded(0, prompt)).toEqual([64, 64, 64]);
    expect(await encoded(1, [...document, 1, 2, 3])).toEqual([32]);
    expect(await encoded(1, [...document, ...drawTokens(300, 'longer')])).toEqual([64, 64, 64, 64, 64, 16]);
    expect(await encoded(0, drawTokens(65, 'other'))).toEqual([64]);
    expect(await encoded(2, prompt)).toEqual([64]);
    expect(await encoded(2, [5])).toEqual([]);
    await decoder.release();
  });
});
