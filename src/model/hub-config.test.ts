import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModelConfig } from './config.ts';
import { plainWiring } from './families/llama.ts';
import { parseHubConfig, toHubConfig } from './hub-config.ts';

const base = {
  model_type: 'llama',
  vocab_size: 49152,
  hidden_size: 576,
  intermediate_size: 1536,
  num_hidden_layers: 30,
  num_attention_heads: 9,
  num_key_value_heads: 3,
  rms_norm_eps: 1e-5,
  rope_theta: 100000,
  max_position_embeddings: 8192,
  tie_word_embeddings: true,
  bos_token_id: 1,
  eos_token_id: 2,
};
const parse = (changes: object) => parseHubConfig({ ...base, ...changes }, 'config.json');

test('parseHubConfig() reads what toHubConfig() wrote', () => {
  const size = fc.integer({ min: 1, max: 512 });
  const configs = fc
    .record({
      kvHeads: fc.integer({ min: 1, max: 8 }),
      groups: fc.integer({ min: 1, max: 8 }),
      half: size,
      layers: size,
      tie: fc.boolean(),
      bos: fc.option(size, { nil: undefined }),
      eos: fc.uniqueArray(size, { minLength: 1 }),
      theta: size,
    })
    .map(
      (r): ModelConfig => ({
        ...plainWiring(2 * r.half, { theta: r.theta, scaling: undefined }),
        family: 'llama',
        vocabSize: 600,
        hiddenSize: 64,
        intermediateSize: 96,
        layers: r.layers,
        heads: r.kvHeads * r.groups,
        kvHeads: r.kvHeads,
        headDim: 2 * r.half,
        normEpsilon: 1e-6,
        tieEmbeddings: r.tie,
        maxPositions: 128,
        bosTokenId: r.bos,
        eosTokenIds: r.eos,
      }),
    );
  fc.assert(
    fc.property(configs, (config) => {
      expect(parseHubConfig(JSON.parse(JSON.stringify(toHubConfig(config))), 'x')).toEqual(config);
    }),
  );
});

test('parseHubConfig() knows both spellings of the rotary base, and derives what is left out', () => {
  expect(parse({})).toMatchObject({ headDim: 64, rope: { theta: 100000 }, eosTokenIds: [2] });
  expect(parse({ rope_theta: undefined, rope_parameters: { rope_type: 'default', rope_theta: 5e5 } }).rope.theta).toBe(
    5e5,
  );
  expect(parse({ num_key_value_heads: undefined, eos_token_id: [2, 7] })).toMatchObject({
    kvHeads: 9,
    eosTokenIds: [2, 7],
  });
});

test.each([
  [{ model_type: 'gpt2' }, 'model_type is "gpt2"'],
  [{ model_type: undefined }, 'model_type is null'],
  [{ hidden_act: 'gelu' }, 'hidden_act is "gelu"'],
  [{ attention_bias: true }, 'attention_bias is true'],
  [{ mlp_bias: true }, 'mlp_bias is true'],
  [{ rope_scaling: { rope_type: 'llama3', factor: 8 } }, 'rope_scaling.low_freq_factor is null'],
  [{ rope_parameters: { rope_type: 'yarn' } }, 'rope_parameters.rope_type is "yarn"'],
  [{ num_key_value_heads: 4 }, 'num_key_value_heads is 4'],
  [{ head_dim: 63 }, 'head_dim is 63'],
  [{ hidden_size: 'big' }, 'config.json: hidden_size:'],
])('parseHubConfig() refuses %j', (changes, message) => {
  expect(() => parse(changes)).toThrow(message);
});
