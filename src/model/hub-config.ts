/** The hub's config.json to ModelConfig and back. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { UserError } from '../foundation/errors.ts';
import type { ModelConfig } from './config.ts';
import { FAMILIES, FAMILY_NAMES, familyOf } from './families/families.ts';
import type { Refuse } from './families/family.ts';
import { hubFields, tokenIds } from './hub-fields.ts';

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
  const refuse: Refuse = (field, value) => {
    throw new UserError(
      `Cannot use the model of ${path}: ${field} is ${JSON.stringify(value)}`,
      `Supported: model_type ${FAMILY_NAMES.join(', ')} (SmolLM2, Qwen2.5, Qwen3, Gemma 3 text) with the wiring of their released models`,
    );
  };
  const family = familyOf(type) ?? refuse('model_type', type ?? null);
  const hub = checked(hubFields, { ...family.defaults, ...(json as object) }, path);
  if (hub.mlp_bias) refuse('mlp_bias', true);

  const heads = hub.num_attention_heads;
  const kvHeads = hub.num_key_value_heads ?? heads;
  if (heads % kvHeads !== 0) refuse('num_key_value_heads', kvHeads);
  const headDim = hub.head_dim ?? hub.hidden_size / heads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) refuse('head_dim', headDim);
  return {
    family: family.name,
    vocabSize: hub.vocab_size,
    hiddenSize: hub.hidden_size,
    intermediateSize: hub.intermediate_size,
    layers: hub.num_hidden_layers,
    heads,
    kvHeads,
    headDim,
    normEpsilon: hub.rms_norm_eps,
    tieEmbeddings: hub.tie_word_embeddings,
    maxPositions: hub.max_position_embeddings,
    bosTokenId: hub.bos_token_id ?? undefined,
    eosTokenIds: toList(hub.eos_token_id),
    ...family.wiring(hub, headDim, refuse),
  };
}

/** config.json for the model, as transformers (4 and 5) and transformers.js read it. */
export function toHubConfig(config: ModelConfig): Record<string, unknown> {
  const { architecture, hubFields: familyFields } = FAMILIES[config.family];
  return {
    architectures: [architecture],
    model_type: config.family,
    vocab_size: config.vocabSize,
    hidden_size: config.hiddenSize,
    intermediate_size: config.intermediateSize,
    num_hidden_layers: config.layers,
    num_attention_heads: config.heads,
    num_key_value_heads: config.kvHeads,
    head_dim: config.headDim,
    rms_norm_eps: config.normEpsilon,
    max_position_embeddings: config.maxPositions,
    tie_word_embeddings: config.tieEmbeddings,
    attention_dropout: 0,
    ...familyFields(config),
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
