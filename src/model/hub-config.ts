/** The hub's config.json to ModelConfig and back. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../foundation/errors.ts';
import type { ModelConfig } from './config.ts';

const tokenIds = z.union([z.int(), z.array(z.int())]).nullish();

/** The fields read; unknown ones pass, the unsupported are refused below by name. */
const hubConfig = z.looseObject({
  model_type: z.string(),
  vocab_size: z.int().positive(),
  hidden_size: z.int().positive(),
  intermediate_size: z.int().positive(),
  num_hidden_layers: z.int().positive(),
  num_attention_heads: z.int().positive(),
  num_key_value_heads: z.int().positive().nullish(),
  head_dim: z.int().positive().nullish(),
  hidden_act: z.string().default('silu'),
  rms_norm_eps: z.number().positive().default(1e-6),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: z.looseObject({ rope_type: z.string().optional(), type: z.string().optional() }).nullish(),
  // transformers 5 writes the two above as one.
  rope_parameters: z.looseObject({ rope_type: z.string().optional(), rope_theta: z.number().optional() }).nullish(),
  max_position_embeddings: z.int().positive().default(2048),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  bos_token_id: z.int().nullish(),
  eos_token_id: tokenIds,
});

const generationConfig = z.looseObject({ eos_token_id: tokenIds });

/**
 * The dimensions of the model in a hub-style folder. End tokens of generation_config.json win over those of config.json.
 *
 * @throws UserError naming the field that is missing, malformed or not supported
 */
export function readHubConfig(folder: string): ModelConfig {
  const path = join(folder, 'config.json');
  const config = parseHubConfig(readJson(path), path);
  const generationPath = join(folder, 'generation_config.json');
  if (!existsSync(generationPath)) return config;
  const generation = checked(generationConfig, readJson(generationPath), generationPath);
  const eosTokenIds = toList(generation.eos_token_id);
  return eosTokenIds.length > 0 ? { ...config, eosTokenIds } : config;
}

/** ModelConfig of a parsed config.json; `path` is for messages. */
export function parseHubConfig(json: unknown, path: string): ModelConfig {
  const type = (json as { model_type?: unknown } | null)?.model_type;
  const refuse = (field: string, value: unknown): never => {
    throw new UserError(
      `Cannot use the model of ${path}: ${field} is ${JSON.stringify(value)}`,
      'Llama-family models (SmolLM2, TinyLlama, ...) with silu, no biases and plain rotary positions are supported',
    );
  };
  if (type !== 'llama') refuse('model_type', type ?? null);
  const hub = checked(hubConfig, json, path);
  if (hub.hidden_act !== 'silu') refuse('hidden_act', hub.hidden_act);
  if (hub.attention_bias) refuse('attention_bias', true);
  if (hub.mlp_bias) refuse('mlp_bias', true);
  const ropeType = hub.rope_parameters?.rope_type ?? hub.rope_scaling?.rope_type ?? hub.rope_scaling?.type ?? 'default';
  if (ropeType !== 'default') refuse(hub.rope_parameters ? 'rope_parameters.rope_type' : 'rope_scaling', ropeType);

  const heads = hub.num_attention_heads;
  const kvHeads = hub.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) refuse('num_key_value_heads', kvHeads);
  const headDim = hub.head_dim ?? hub.hidden_size / heads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) refuse('head_dim', headDim);
  return {
    family: 'llama',
    vocabSize: hub.vocab_size,
    hiddenSize: hub.hidden_size,
    intermediateSize: hub.intermediate_size,
    layers: hub.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    ropeTheta: hub.rope_parameters?.rope_theta ?? hub.rope_theta ?? 10_000,
    normEpsilon: hub.rms_norm_eps,
    tieEmbeddings: hub.tie_word_embeddings,
    maxPositions: hub.max_position_embeddings,
    bosTokenId: hub.bos_token_id ?? undefined,
    eosTokenIds: toList(hub.eos_token_id),
  };
}

/** config.json for the model, as transformers (4 and 5) and transformers.js read it. */
export function toHubConfig(config: ModelConfig): Record<string, unknown> {
  return {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    hidden_act: 'silu',
    rms_norm_eps: config.normEpsilon,
    rope_theta: config.ropeTheta,
    rope_scaling: null,
    max_position_embeddings: config.maxPositions,
    tie_word_embeddings: config.tieEmbeddings,
    attention_bias: false,
    mlp_bias: false,
    attention_dropout: 0,
    ...(config.bosTokenId === undefined ? {} : { bos_token_id: config.bosTokenId }),
    eos_token_id: config.eosTokenIds.length === 1 ? config.eosTokenIds[0] : config.eosTokenIds,
    torch_dtype: 'float32',
  };
}

/** generation_config.json: which tokens begin and end a response. */
export function toGenerationConfig(config: ModelConfig, padTokenId: number): Record<string, unknown> {
  return {
    ...(config.bosTokenId === undefined ? {} : { bos_token_id: config.bosTokenId }),
    eos_token_id: config.eosTokenIds.length === 1 ? config.eosTokenIds[0] : config.eosTokenIds,
    pad_token_id: padTokenId,
  };
}

/** Reads a JSON file of a model folder. */
export function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    throw new UserError(
      `Cannot read ${path}: ${(error as Error).message}`,
      'Expected a hub-style model folder: config.json, model.safetensors, tokenizer.json, tokenizer_config.json',
      { cause: error },
    );
  }
}

function checked<T>(schema: z.ZodType<T>, json: unknown, path: string): T {
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  throw new UserError(`Cannot read ${path}: ${issue.path.join('.') || 'the file'}: ${issue.message}`);
}

function toList(ids: number | number[] | null | undefined): number[] {
  return ids === null || ids === undefined ? [] : Array.isArray(ids) ? ids : [ids];
}
