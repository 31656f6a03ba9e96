/** Tiny random models of every family with a byte-level tokenizer: for debug recipes and tests, made in milliseconds. */

import { join } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { type RandomStream, randomStream } from '../foundation/random.ts';
import type { FamilyName, ModelConfig } from './config.ts';
import { parseHubConfig, toGenerationConfig, toHubConfig } from './hub-config.ts';
import { EMBEDDING, hubWeightShapes } from './hub-weights.ts';
import { type FloatTensor, writeSafetensors } from './safetensors.ts';
import { tokenizerFiles } from './tokenizer-files.ts';

export interface TinySettings {
  readonly family: FamilyName;
  readonly seed: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly tieEmbeddings: boolean;
  readonly maxPositions: number;
}

/** About 400 kB: heads of 16, grouped queries, sizes the int8 kernels like. */
export const TINY_DEFAULTS: TinySettings = {
  family: 'llama',
  seed: 0,
  hiddenSize: 64,
  intermediateSize: 160,
  layers: 2,
  heads: 4,
  kvHeads: 2,
  tieEmbeddings: true,
  maxPositions: 4096,
};

/** Raised whenever equal settings give another model, so that cached ones are made again. */
export const TINY_VERSION = 1;

/** Special tokens, after the 256 bytes. */
const SPECIALS = ['<|endoftext|>', '<|im_start|>', '<|im_end|>', '<|pad|>'] as const;
const BYTES = 256;
const [UNK, BOS, EOS, PAD] = [BYTES, BYTES + 1, BYTES + 2, BYTES + 3];

/** ChatML, without a system message of its own. */
const CHAT_TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}" +
  "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}";

/** Writes a tiny model's hub-style folder. Equal settings give equal bytes on every machine. */
export function writeTinyModel(folder: string, settings: Partial<TinySettings> = {}): ModelConfig {
  const tiny = { ...TINY_DEFAULTS, ...settings };
  const config = tinyConfig(tiny);
  const files = tokenizerFiles({
    tokens: [...byteLetters(), ...SPECIALS],
    merges: [],
    added: SPECIALS.map((_, i) => ({ id: BYTES + i, special: true })),
    isolateDigits: false,
    chatTemplate: CHAT_TEMPLATE,
    bosTokenId: BOS,
    eosTokenId: EOS,
    padTokenId: PAD,
    unkTokenId: UNK,
    maxLength: tiny.maxPositions,
  });
  writeSafetensors(join(folder, 'model.safetensors'), tinyTensors(config, tiny.seed));
  const json: Record<string, unknown> = {
    'config.json': toHubConfig(config),
    'generation_config.json': toGenerationConfig(config, PAD),
    'tokenizer.json': files.tokenizerJson,
    'tokenizer_config.json': files.tokenizerConfig,
  };
  for (const [name, value] of Object.entries(json)) {
    writeFileAtomic(join(folder, name), JSON.stringify(value, null, 2) + '\n');
  }
  return config;
}

/** What a family's config.json says beyond sizes: small enough for windows and odd head sizes to show in short texts. */
const FAMILY_FIELDS: Readonly<Record<FamilyName, Readonly<Record<string, unknown>>>> = {
  llama: { rms_norm_eps: 1e-5 },
  qwen2: {},
  qwen3: { head_dim: 24 },
  gemma3_text: { head_dim: 24, query_pre_attn_scalar: 20, sliding_window: 8, sliding_window_pattern: 2 },
};

function tinyConfig(tiny: TinySettings): ModelConfig {
  const json = {
    model_type: tiny.family,
    vocab_size: BYTES + SPECIALS.length,
    hidden_size: tiny.hiddenSize,
    intermediate_size: tiny.intermediateSize,
    num_hidden_layers: tiny.layers,
    num_attention_heads: tiny.heads,
    num_key_value_heads: tiny.kvHeads,
    tie_word_embeddings: tiny.tieEmbeddings,
    max_position_embeddings: tiny.maxPositions,
    bos_token_id: BOS,
    eos_token_id: EOS,
    ...FAMILY_FIELDS[tiny.family],
  };
  return parseHubConfig(json, 'the tiny model');
}

/** Variance-keeping weights: every linear by 1/sqrt(in), norms around 1, so that no weight is without effect on a logit. */
function tinyTensors(config: ModelConfig, seed: number): Map<string, FloatTensor> {
  const tensors = new Map<string, FloatTensor>();
  for (const [name, shape] of hubWeightShapes(config)) {
    const random = randomStream(seed, name);
    const size = shape.reduce((product, length) => product * length, 1);
    const isVector = shape.length === 1;
    const deviation = isVector ? 0.1 : 1 / Math.sqrt(name === EMBEDDING ? config.hiddenSize : shape[1]!);
    const center = isVector && !name.endsWith('.bias') ? 1 - config.normOffset : 0;
    const data = Float32Array.from({ length: size }, () => center + deviation * bellShaped(random));
    tensors.set(name, { shape, data });
  }
  return tensors;
}

/**
 * A sum of four uniforms, scaled to unit variance. Sums and products alone are the same on every machine; the logarithm
 * and cosine of a true normal are not, and golden files are recorded on these weights.
 */
function bellShaped(random: RandomStream): number {
  const sum = random.uniform() + random.uniform() + random.uniform() + random.uniform();
  return (sum - 2) * Math.sqrt(3);
}

/** The letters byte-level BPE writes bytes with (GPT-2's bytes_to_unicode): printable ones stand for themselves. */
function byteLetters(): string[] {
  let next = 256;
  return Array.from({ length: BYTES }, (_, byte) => {
    const printable = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
    return String.fromCharCode(printable ? byte : next++);
  });
}
