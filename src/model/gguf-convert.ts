/** Turns a GGUF file of a Llama-family model into a hub-style folder (f32 safetensors, config, tokenizer). */

import { join } from 'node:path';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { UserError } from '../foundation/errors.ts';
import type { ModelConfig } from './config.ts';
import { plainWiring } from './families/llama.ts';
import { type GgufFile, ggufNumberOr, ggufValue, openGguf, readGgufTensor } from './gguf.ts';
import { toGenerationConfig, toHubConfig } from './hub-config.ts';
import { EMBEDDING, FINAL_NORM, HEAD, hubWeightShapes } from './hub-weights.ts';
import { type WritableTensor, writeSafetensors } from './safetensors.ts';
import { tokenizerFromGguf } from './tokenizer-from-gguf.ts';

/** Raised whenever the same GGUF would give another folder, so that cached ones are made again. */
export const CONVERTER_VERSION = 1;

/** GGUF names of a layer's weights by their hub names inside the layer. */
const LAYER_NAMES: Readonly<Record<string, string>> = {
  input_layernorm: 'attn_norm',
  'self_attn.q_proj': 'attn_q',
  'self_attn.k_proj': 'attn_k',
  'self_attn.v_proj': 'attn_v',
  'self_attn.o_proj': 'attn_output',
  post_attention_layernorm: 'ffn_norm',
  'mlp.gate_proj': 'ffn_gate',
  'mlp.up_proj': 'ffn_up',
  'mlp.down_proj': 'ffn_down',
};

/**
 * Writes model.safetensors, config.json, generation_config.json, tokenizer.json and tokenizer_config.json into `folder`.
 *
 * @throws UserError where the file is no GGUF, of another family, or holds types that are not read
 */
export async function convertGguf(path: string, folder: string): Promise<void> {
  const file = await openGguf(path);
  const config = ggufConfig(file);
  const tensors = new Map<string, WritableTensor>();
  for (const [name, shape] of hubWeightShapes(config)) {
    const stored = ggufName(name);
    const found = file.tensors.get(stored)?.shape;
    if (found?.join() !== shape.join()) {
      throw new UserError(
        `Cannot convert ${path}: tensor ${stored} should be [${shape}], found ${found ? `[${found}]` : 'none'}`,
      );
    }
    tensors.set(name, { shape, dtype: 'F32', read: () => hubOrder(name, readGgufTensor(file, stored), config) });
  }
  const { tokenizerJson, tokenizerConfig, padTokenId } = tokenizerFromGguf(file);
  writeSafetensors(join(folder, 'model.safetensors'), tensors);
  const json: Record<string, unknown> = {
    'config.json': toHubConfig(config),
    'generation_config.json': toGenerationConfig(config, padTokenId),
    'tokenizer_config.json': tokenizerConfig,
  };
  for (const [name, value] of Object.entries(json)) {
    writeFileAtomic(join(folder, name), JSON.stringify(value, null, 2) + '\n');
  }
  writeFileAtomic(join(folder, 'tokenizer.json'), JSON.stringify(tokenizerJson) + '\n');
}

/** The model's dimensions as the GGUF's metadata gives them. */
export function ggufConfig(file: GgufFile): ModelConfig {
  const architecture = ggufValue(file, 'general.architecture', 'string');
  if (architecture !== 'llama') {
    throw new UserError(
      `Cannot convert ${file.path}: general.architecture is "${architecture}"`,
      'Of GGUF files only llama is supported; the other families are read from safetensors',
    );
  }
  const scaling = file.metadata.get('llama.rope.scaling.type') ?? 'none';
  if (scaling !== 'none' || file.tensors.has('rope_freqs.weight')) {
    throw new UserError(
      `Cannot convert ${file.path}: it scales rotary positions`,
      'Only plain rotary positions are supported',
    );
  }
  const hiddenSize = ggufValue(file, 'llama.embedding_length', 'number');
  const heads = ggufValue(file, 'llama.attention.head_count', 'number');
  const headDim = ggufNumberOr(file, 'llama.attention.key_length', hiddenSize / heads);
  const theta = ggufNumberOr(file, 'llama.rope.freq_base', 10_000);
  return {
    ...plainWiring(headDim, { theta, scaling: undefined }),
    family: 'llama',
    vocabSize: ggufValue(file, 'tokenizer.ggml.tokens', 'strings').length,
    hiddenSize,
    intermediateSize: ggufValue(file, 'llama.feed_forward_length', 'number'),
    layers: ggufValue(file, 'llama.block_count', 'number'),
    heads,
    kvHeads: ggufNumberOr(file, 'llama.attention.head_count_kv', heads),
    headDim,
    normEpsilon: shortest(ggufValue(file, 'llama.attention.layer_norm_rms_epsilon', 'number')),
    tieEmbeddings: !file.tensors.has('output.weight'),
    maxPositions: ggufValue(file, 'llama.context_length', 'number'),
    bosTokenId:
      ggufNumberOr(file, 'tokenizer.ggml.bos_token_id', -1) === -1
        ? undefined
        : ggufValue(file, 'tokenizer.ggml.bos_token_id', 'number'),
    eosTokenIds: [ggufValue(file, 'tokenizer.ggml.eos_token_id', 'number')],
  };
}

/** The shortest decimal that is the same f32: GGUF stores 1e-5 as an f32, which as a double reads 0.0000099999997. */
function shortest(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === Math.fround(value)) return candidate;
  }
  return value;
}

function ggufName(hubName: string): string {
  if (hubName === EMBEDDING) return 'token_embd.weight';
  if (hubName === FINAL_NORM) return 'output_norm.weight';
  if (hubName === HEAD) return 'output.weight';
  const [, layer, inner] = /^model\.layers\.(\d+)\.(.+)\.weight$/.exec(hubName)!;
  return `blk.${layer}.${LAYER_NAMES[inner!]!}.weight`;
}

function hubOrder(name: string, data: Float32Array, config: ModelConfig): Float32Array {
  const rotary = name.endsWith('q_proj.weight') || name.endsWith('k_proj.weight');
  return rotary ? unpermuteRotary(data, config.headDim, config.hiddenSize) : data;
}

/**
 * Undoes llama.cpp's reordering of q and k rows. GGUF interleaves the two rotary halves of a head
 * (row 2 i + p), the hub keeps them apart (row p * headDim / 2 + i).
 *
 * @param data `[heads * headDim, columns]`
 */
export function unpermuteRotary(data: Float32Array, headDim: number, columns: number): Float32Array {
  const out = new Float32Array(data.length);
  const half = headDim / 2;
  const rows = data.length / columns;
  for (let row = 0; row < rows; row++) {
    const inHead = row % headDim;
    const from = row - inHead + 2 * (inHead % half) + Math.floor(inHead / half);
    out.set(data.subarray(from * columns, (from + 1) * columns), row * columns);
  }
  return out;
}
