/** Models from the hub: its local cache, and downloads. */

import { createWriteStream, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import type { ListFileEntry } from '@huggingface/hub';
import { UserError } from '../foundation/errors.ts';
import type { Emit } from '../foundation/events.ts';
import { contentHash, fileSha256 } from '../foundation/hash.ts';
import { hubAccess, impatientFetch, isHubOffline } from '../foundation/hub-access.ts';
import type { ModelPlace } from './resolve-chain.ts';

/** What is taken of a repository on the hub, and what makes its copy whole. Pickled weights are never fetched. */
export interface HubSelection {
  readonly wanted: RegExp;
  /** Files that carry the weights: each must have a SHA-256 on the hub. */
  readonly weights: RegExp;
  readonly isWhole: (folder: string) => boolean;
  /** For people: the weights, and all that a folder needs. */
  readonly names: { readonly weights: string; readonly all: string };
}

/** Files of a model folder that are read here or belong in an export. */
const MODEL: HubSelection = {
  wanted:
    /^(config\.json|generation_config\.json|tokenizer\.json|tokenizer_config\.json|special_tokens_map\.json|chat_template\.jinja|model(-\d+-of-\d+)?\.safetensors|model\.safetensors\.index\.json)$/,
  weights: /\.safetensors$/,
  isWhole: isModelFolder,
  names: { weights: 'safetensors', all: 'config.json, model.safetensors, tokenizer.json, tokenizer_config.json' },
};

/** The folder of the newest snapshot of a model in the hub's own cache, or undefined. */
export async function hubCacheFolder(
  hubId: string,
  isWhole: (folder: string) => boolean = isModelFolder,
): Promise<string | undefined> {
  const { getHFHubCachePath } = await import('@huggingface/hub');
  const root = join(getHFHubCachePath(), `models--${hubId.replaceAll('/', '--')}`);
  const snapshots = join(root, 'snapshots');
  if (!existsSync(snapshots)) return undefined;
  const main = join(root, 'refs', 'main');
  const revisions = readdirSync(snapshots).sort(
    (a, b) => statSync(join(snapshots, b)).mtimeMs - statSync(join(snapshots, a)).mtimeMs,
  );
  if (existsSync(main)) revisions.unshift(readFileSync(main, 'utf8').trim());
  return revisions.map((revision) => join(snapshots, revision)).find(isWhole);
}

/** Whether the folder has everything a student needs. */
export function isModelFolder(folder: string): boolean {
  const has = (name: string) => existsSync(join(folder, name));
  const weights = has('model.safetensors') || has('model.safetensors.index.json');
  return weights && ['config.json', 'tokenizer.json', 'tokenizer_config.json'].every(has);
}

/** The hub as a place to fetch a model from. */
export function hubPlace(fetch: ModelPlace['fetch']): ModelPlace {
  const refuse = () => Promise.reject(new Error('switched off by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE'));
  return { name: 'the hub', fetch: isHubOffline() ? refuse : fetch };
}

/** A model on the hub at a fixed revision. */
export interface HubModel {
  readonly hubId: string;
  readonly revision: string;
  readonly files: readonly ListFileEntry[];
  /** Of the weights, as the hub states it; of the list of hashes where there are several files. */
  readonly sha256: string;
}

/**
 * Asks the hub (`HF_ENDPOINT`, default https://huggingface.co; `HF_TOKEN` for gated models) for a model's files.
 *
 * @throws whatever kept the hub from answering
 */
export async function findOnHub(
  hubId: string,
  signal?: AbortSignal,
  { wanted, weights, names }: HubSelection = MODEL,
): Promise<HubModel> {
  const { listFiles, modelInfo } = await import('@huggingface/hub');
  const request = { ...hubAccess(), fetch: impatientFetch(signal) };
  const info = await modelInfo({ ...request, name: hubId, additionalFields: ['sha'] });
  const files: ListFileEntry[] = [];
  for await (const entry of listFiles({ ...request, repo: hubId, revision: info.sha })) {
    if (entry.type === 'file' && wanted.test(entry.path)) files.push(entry);
  }
  const hashes = files.filter((file) => weights.test(file.path)).map((file) => file.lfs?.oid);
  if (hashes.length === 0 || hashes.includes(undefined))
    throw new Error(`${hubId} has no ${names.weights} with a SHA-256`);
  return { hubId, revision: info.sha, files, sha256: hashes.length === 1 ? hashes[0]! : contentHash(hashes) };
}

/**
 * Downloads the wanted files into `folder` and checks the SHA-256 the hub states for large ones.
 *
 * @throws UserError where a file is missing on the hub or arrived damaged
 */
export async function downloadFromHub(
  model: HubModel,
  folder: string,
  emit: Emit,
  signal?: AbortSignal,
  { isWhole, names }: HubSelection = MODEL,
): Promise<void> {
  const { downloadFile } = await import('@huggingface/hub');
  const bytes = model.files.reduce((sum, file) => sum + file.size, 0);
  emit({ type: 'log', level: 'info', message: `Downloading ${model.hubId} (${(bytes / 1e6).toFixed(0)} MB)` });
  for (const file of model.files) {
    const place = { repo: model.hubId, path: file.path, revision: model.revision };
    const blob = await downloadFile({ ...hubAccess(), ...place });
    if (blob === null) throw new UserError(`Cannot download ${model.hubId}: ${file.path} is not on the hub`);
    const target = join(folder, file.path);
    mkdirSync(dirname(target), { recursive: true });
    const body = Readable.fromWeb(blob.stream() as ReadableStream);
    await pipeline(body, createWriteStream(target), signal ? { signal } : {});
    if (file.lfs !== undefined && (await fileSha256(target)) !== file.lfs.oid) {
      throw new UserError(`Cannot use ${file.path} of ${model.hubId}: its SHA-256 is not the hub's`, 'Try again');
    }
  }
  if (!isWhole(folder)) {
    throw new UserError(
      `Cannot use ${model.hubId}: on the hub it has ${model.files.map((file) => file.path).join(', ') || 'none of the files needed'}`,
      `Needed: ${names.all}`,
    );
  }
}
