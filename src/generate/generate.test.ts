import { beforeAll, describe, expect, it } from 'vitest';
import { busyAdapter, drawTokens, loraOf, tinyWeights } from '../../test/tiny-models.ts';
import { Engine } from '../engine/engine.ts';
import { packSequences } from '../engine/pack.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { RunEvent } from '../foundation/events.ts';
import { f32Model } from '../model/runtime-model.ts';
import { noSmoothing, quantizedModel } from '../quantize/smooth-quant.ts';
import type { GenerationSettings } from '../recipe/schema.ts';
import type { GenerationModel } from './decoder.ts';
import { type Generated, type GenerationContext, type GenerationRequest, generate } from './generate.ts';

const weights = tinyWeights();
const { config } = weights;
const adapter = busyAdapter(config, { rank: 4, alpha: 8 });
const lora = { layers: adapter.layers, ...loraOf(adapter) };
const settings = { threads: 1 };
const models: Record<'f32' | 'w8a8', GenerationModel> = {
  f32: { model: f32Model(weights), adapter: lora, settings },
  w8a8: { model: quantizedModel(weights, noSmoothing(weights)), adapter: lora, settings },
};

const GREEDY: GenerationSettings = {
  temperature: 0,
  topP: 1,
  repetitionPenalty: 1,
  penalizePrompt: true,
  maxTokens: 8,
  batch: 3,
};
const SAMPLED: GenerationSettings = { ...GREEDY, temperature: 1, topP: 0.95, repetitionPenalty: 1.05 };

/** Five requests: three begin with the same 150 tokens, one is a single token, one fills two chunks exactly. */
const document = drawTokens(150, 'document');
const requests: GenerationRequest[] = [
  { id: 'a', prompt: [...document, ...drawTokens(20, 'a')], seed: 'a' },
  { id: 'one', prompt: drawTokens(1, 'one'), seed: 'one' },
  { id: 'b', prompt: [...document, ...drawTokens(51, 'b')], seed: 'b' },
  { id: 'chunks', prompt: drawTokens(128, 'chunks'), seed: 'chunks' },
  { id: 'c', prompt: [...document, ...drawTokens(3, 'c')], seed: 'c' },
];

async function run(
  model: GenerationModel,
  asked: readonly GenerationRequest[],
  options: GenerationSettings,
  context: Partial<GenerationContext> = {},
): Promise<Map<string, Generated>> {
  const results = new Map<string, Generated>();
  const whole = { signal: new AbortController().signal, eosTokenIds: [], ...context };
  for await (const result of generate(model, asked, options, whole)) results.set(result.id, result);
  return results;
}

const tokensOf = (results: ReadonlyMap<string, Generated>) =>
  Object.fromEntries(Array.from(results, ([id, { tokens }]) => [id, tokens]));

/** Greedy tokens by running the training engine over the whole sequence again for each of them. */
async function byFullPasses(model: GenerationModel, prompt: readonly number[], count: number): Promise<number[]> {
  const engine = new Engine(model.model, { ...settings, lora });
  const tokens: number[] = [];
  while (tokens.length < count) {
    const packed = packSequences([{ tokens: [...prompt, ...tokens], labelsFrom: 1 }]);
    const { hidden } = await engine.forward(packed, lora.layers, false);
    const row = packed.lastRows[0]!;
    const logits = logitsOf(model, hidden.subarray(row * config.hiddenSize, (row + 1) * config.hiddenSize));
    tokens.push(logits.indexOf(Math.max(...logits)));
  }
  await engine.release();
  return tokens;
}

function logitsOf({ model: { normFinal, head } }: GenerationModel, h: ArrayLike<number>): number[] {
  const x = Array.from(h);
  const r = 1 / Math.sqrt(x.reduce((sum, value) => sum + value * value, 0) / x.length + config.normEpsilon);
  const normed = x.map((value, j) => value * r * (normFinal.data[j] as number));
  return Array.from({ length: config.vocabSize }, (_, token) =>
    normed.reduce((sum, value, j) => sum + value * (head.data[token * x.length + j] as number), 0),
  );
}

describe.each(['f32', 'w8a8'] as const)('generate(), %s with LoRA', (precision) => {
  const model = models[precision];
  let together: Map<string, Generated>;
  beforeAll(async () => {
    together = await run(model, requests, SAMPLED);
  });

  it('gives, greedily, the tokens that full passes of the training engine give', async () => {
    const results = await run(model, requests, GREEDY);
    for (const { id, prompt } of requests) {
      expect([id, results.get(id)!.tokens]).toEqual([id, await byFullPasses(model, prompt, GREEDY.maxTokens)]);
    }
  });

  it('gives a request the same tokens whatever else is asked, in whatever order', async () => {
    const alone = new Map<string, Generated>();
    for (const request of requests) {
      for (const [id, result] of await run(model, [request], SAMPLED)) alone.set(id, result);
    }
    expect(tokensOf(alone)).toEqual(tokensOf(together));
    expect(tokensOf(await run(model, [...requests].reverse(), SAMPLED))).toEqual(tokensOf(together));
  });

  it('gives the same tokens in batches of other sizes', async () => {
    expect(tokensOf(await run(model, requests, { ...SAMPLED, batch: 1 }))).toEqual(tokensOf(together));
    expect(tokensOf(await run(model, requests, { ...SAMPLED, batch: 8 }))).toEqual(tokensOf(together));
  });

  it('gives the same tokens in two threads', async () => {
    const parted = await run(model, requests, { ...SAMPLED, batch: 3 }, { lanes: 2, logprobs: true });
    expect(tokensOf(parted)).toEqual(tokensOf(together));
    for (const { tokens, logprobs } of parted.values()) expect(logprobs).toHaveLength(tokens.length);
  });

  it('repeats itself, and differs for other seeds', async () => {
    expect(tokensOf(await run(model, requests, SAMPLED))).toEqual(tokensOf(together));
    const others = await run(
      model,
      requests.map((request) => ({ ...request, seed: `other ${request.seed}` })),
      SAMPLED,
    );
    for (const { id } of requests) expect(others.get(id)!.tokens).not.toEqual(together.get(id)!.tokens);
  });
});

describe('generate()', () => {
  const model = models.w8a8;
  const [first] = requests as [GenerationRequest];
  let greedy: number[];
  beforeAll(async () => {
    greedy = (await run(model, [first], GREEDY)).get(first.id)!.tokens;
  });

  it('stops at maxTokens, incomplete', async () => {
    const result = (await run(model, [first], { ...GREEDY, maxTokens: 3 })).get(first.id)!;
    expect(result).toMatchObject({ tokens: greedy.slice(0, 3), complete: false });
    expect(result.seconds).toBeGreaterThan(0);
  });

  it('stops at an end token, complete, without it', async () => {
    const end = greedy[2]!;
    const result = (await run(model, [first], GREEDY, { eosTokenIds: [257, end] })).get(first.id)!;
    expect(result).toMatchObject({ tokens: greedy.slice(0, greedy.indexOf(end)), complete: true });
  });

  it('ends a response that is finished, complete, with its last token', async () => {
    const finished = (tokens: readonly number[]) => tokens.length === 2;
    const result = (await run(model, [first], GREEDY, { finished })).get(first.id)!;
    expect(result).toMatchObject({ tokens: greedy.slice(0, 2), complete: true });
  });

  it('applies the repetition penalty to tokens of the prompt and of the response', async () => {
    const strict = { ...GREEDY, repetitionPenalty: 1000 };
    const { tokens } = (await run(model, [first], strict)).get(first.id)!;
    expect(new Set([...first.prompt, ...tokens]).size).toBe(new Set(first.prompt).size + tokens.length);
  });

  it('leaves the tokens of the prompt alone unless it is told to penalize them', async () => {
    const strict = { ...GREEDY, repetitionPenalty: 1000, penalizePrompt: false };
    const { tokens } = (await run(model, [first], strict)).get(first.id)!;
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens[0]).toBe(greedy[0]);
  });

  it('yields responses as they end, and gives their places to those who wait', async () => {
    const eosTokenIds = [greedy[0]!];
    const order: string[] = [];
    const context = { signal: new AbortController().signal, eosTokenIds };
    for await (const { id } of generate(model, requests, { ...GREEDY, batch: 2 }, context)) order.push(id);
    expect(order[0]).toBe('a');
    expect([...order].sort()).toEqual(requests.map(({ id }) => id).sort());
  });

  it('warns of a prompt that fills all positions, and goes on', async () => {
    const short = { ...model, model: { ...model.model, config: { ...config, maxPositions: 20 } } };
    const events: RunEvent[] = [];
    const asked = [
      { ...first, id: 'long', prompt: first.prompt.slice(0, 20) },
      { ...first, id: 'short', prompt: first.prompt.slice(0, 17) },
    ];
    const results = await run(short, asked, GREEDY, { emit: (event) => events.push(event) });
    expect(results.get('long')).toMatchObject({ tokens: [], complete: false });
    expect(results.get('short')!.tokens).toHaveLength(3);
    expect(events).toMatchObject([{ type: 'log', level: 'warn', message: expect.stringContaining('long') }]);
  });

  it('stops within a step when interrupted', async () => {
    const controller = new AbortController();
    const asked = [first, { ...first, id: 'later' }];
    const responses = generate(model, asked, { ...GREEDY, batch: 1 }, { signal: controller.signal, eosTokenIds: [] });
    expect((await responses.next()).value).toMatchObject({ id: 'a' });
    // Aborts while the next response's first graphs run.
    setImmediate(() => controller.abort());
    await expect(responses.next()).rejects.toBeInstanceOf(InterruptedError);
  });

  it('stops within a step when interrupted, in all threads', async () => {
    const controller = new AbortController();
    const asked = Array.from({ length: 40 }, (_, i) => ({ ...first, id: `r${i}` }));
    const context = { signal: controller.signal, eosTokenIds: [], lanes: 2 };
    const responses = generate(model, asked, { ...GREEDY, batch: 2 }, context);
    expect((await responses.next()).done).toBe(false);
    controller.abort();
    const left = async () => {
      let count = 0;
      for await (const _ of responses) count++;
      return count;
    };
    await expect(left()).rejects.toBeInstanceOf(InterruptedError);
  });

  it('tells what went wrong in a thread, by its class', async () => {
    const normFinal = { ...model.model.normFinal, data: new Float32Array(config.hiddenSize).fill(Number.NaN) };
    const broken = { ...model, model: { ...model.model, normFinal } };
    await expect(run(broken, requests, { ...SAMPLED, batch: 2 }, { lanes: 2 })).rejects.toBeInstanceOf(UserError);
  });

  it('ends all threads when whoever reads goes away', async () => {
    const context = { signal: new AbortController().signal, eosTokenIds: [], lanes: 2 };
    for await (const { tokens } of generate(model, requests, { ...GREEDY, batch: 2 }, context)) {
      expect(tokens).toHaveLength(GREEDY.maxTokens);
      break;
    }
  });

  it('ends at once where nothing is asked', async () => {
    expect(await run(model, [], GREEDY)).toEqual(new Map());
  });
});
