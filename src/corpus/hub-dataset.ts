/** A data set on the hub as a corpus: which files it has at one commit, and each of them in the hub's cache once it is reached. */

import { createWriteStream, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { cacheFolder } from '../foundation/cache-folder.ts';
import { errorMessage, InterruptedError, UserError } from '../foundation/errors.ts';
import { fileSha256 } from '../foundation/hash.ts';
import { type HubAccess, hubAccess, impatientFetch, isHubOffline } from '../foundation/hub-access.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type CorpusFile, corpusFiles, listedFiles } from './corpus-files.ts';
import { type HubAddress, hubAddress } from './hub-address.ts';

const listing = z.object({
  commit: z.string().regex(/^[0-9a-f]{40}$/),
  files: z.array(
    z.object({
      path: z.string(),
      /** Bytes. */
      size: z.number(),
      /** As the hub states it for large files. */
      sha256: z.string().optional(),
    }),
  ),
});

/** The files of a data set at a commit. */
type Listing = z.output<typeof listing>;

/**
 * The files of a corpus on the hub. Its revision is looked up once and kept, so that all commands of all runs see the same rows; a
 * file is fetched when it is first read. Where the hub cannot be asked, what its cache holds of the revision is used.
 *
 * @throws UserError for an address that names nothing, and where neither the hub nor its cache has the data set
 */
export async function hubFiles(path: string, context: Partial<RunContext> = {}): Promise<CorpusFile[]> {
  const wanted = hubAddress(path);
  const known = readListing(wanted);
  let found = known;
  try {
    found ??= await askHub(wanted, context.signal);
  } catch (error) {
    if (context.signal?.aborted) throw new InterruptedError();
    const cached = await cachedFiles(wanted);
    if (cached !== undefined) return cached;
    throw notFound(wanted, error);
  }
  if (known === undefined) {
    mkdirSync(dirname(listingPath(wanted)), { recursive: true });
    writeFileAtomic(listingPath(wanted), `${JSON.stringify(found)}\n`);
  }
  const chosen = listedFiles(
    found.files.map((file) => file.path),
    wanted.path,
  );
  if (chosen.length === 0) throw nothingThere(wanted, found);
  const byPath = new Map(found.files.map((file) => [file.path, file]));
  return chosen.map((file) => ({
    ...file,
    path: `${path.slice(0, path.length - wanted.path.length).replace(/\/$/, '')}/${file.path}`,
    fetch: () => fetchFile(wanted, found.commit, byPath.get(file.path)!, context),
  }));
}

function listingPath({ repo, revision }: HubAddress): string {
  return cacheFolder('datasets', `${repo.replace('/', '--')}@${revision.replaceAll('/', '--')}.json`);
}

/** What was looked up before; a damaged file counts for nothing. */
function readListing(wanted: HubAddress): Listing | undefined {
  try {
    return listing.parse(JSON.parse(readFileSync(listingPath(wanted), 'utf8')));
  } catch {
    return undefined;
  }
}

async function askHub({ repo, revision }: HubAddress, signal?: AbortSignal): Promise<Listing> {
  if (isHubOffline()) throw new Error('switched off by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE');
  const { datasetInfo, listFiles } = await import('@huggingface/hub');
  const request = { ...hubAccess(), fetch: impatientFetch(signal) };
  const { sha } = await datasetInfo({ ...request, name: repo, revision, additionalFields: ['sha'] });
  const files: Listing['files'] = [];
  const entries = listFiles({ ...hubAccess(), repo: { type: 'dataset', name: repo }, revision: sha, recursive: true });
  for await (const { type, path, size, lfs } of entries) {
    signal?.throwIfAborted();
    if (type === 'file') files.push({ path, size: lfs?.size ?? size, ...(lfs ? { sha256: lfs.oid } : {}) });
  }
  return { commit: sha, files };
}

async function repoCache({ repo }: HubAddress): Promise<string> {
  const { getHFHubCachePath } = await import('@huggingface/hub');
  return join(getHFHubCachePath(), `datasets--${repo.replace('/', '--')}`);
}

/** What some other tool put into the hub's cache. */
async function cachedFiles(wanted: HubAddress): Promise<CorpusFile[] | undefined> {
  const cache = await repoCache(wanted);
  const reference = join(cache, 'refs', wanted.revision);
  const commit = existsSync(reference) ? readFileSync(reference, 'utf8').trim() : wanted.revision;
  const snapshot = join(cache, 'snapshots', commit);
  if (!/^[0-9a-f]{40}$/.test(commit) || !existsSync(snapshot)) return undefined;
  return corpusFiles(join(snapshot, wanted.path));
}

/** Where the file lies in the hub's cache, after fetching it if need be. */
async function fetchFile(
  wanted: HubAddress,
  commit: string,
  { path, size, sha256 }: Listing['files'][number],
  { emit, signal }: Partial<RunContext>,
): Promise<string> {
  // The path comes from the hub.
  if (path.split('/').some((part) => part === '' || part === '..')) {
    throw new UserError(`Cannot fetch ${path} of ${wanted.repo}: the path leads out of the data set`);
  }
  const target = join(await repoCache(wanted), 'snapshots', commit, path);
  if (existsSync(target)) return target;
  const temporary = `${target}.tmp-${process.pid}`;
  const message = `Downloading ${path} of ${wanted.repo} (${(size / 1e6).toFixed(size < 1e7 ? 1 : 0)} MB)`;
  try {
    if (isHubOffline()) throw new Error('switched off by HF_HUB_OFFLINE or TRANSFORMERS_OFFLINE');
    emit?.({ type: 'log', level: 'info', message });
    mkdirSync(dirname(target), { recursive: true });
    await download({ repo: wanted.repo, commit, path, access: hubAccess() }, temporary, signal);
    if (sha256 !== undefined && (await fileSha256(temporary)) !== sha256)
      throw new Error("its SHA-256 is not the hub's");
    renameSync(temporary, target);
    return target;
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError();
    throw new UserError(
      `Cannot fetch ${path} of ${wanted.address}: ${rootMessage(error)}`,
      'Run the same command again when the hub can be reached: files that came whole are kept',
      { cause: error },
    );
  } finally {
    rmSync(temporary, { force: true });
  }
}

interface HubFile {
  repo: string;
  commit: string;
  path: string;
  access: HubAccess;
}

async function download({ repo, commit, path, access }: HubFile, target: string, signal?: AbortSignal): Promise<void> {
  const { downloadFile } = await import('@huggingface/hub');
  const fetching: typeof fetch = (input, init) => fetch(input, signal ? { ...init, signal } : init);
  const blob = await downloadFile({
    ...access,
    repo: { type: 'dataset', name: repo },
    revision: commit,
    path: path.split('/').map(encodeURIComponent).join('/'),
    fetch: fetching,
  });
  if (blob === null) throw new Error('it is not on the hub');
  await pipeline(
    Readable.fromWeb(blob.stream() as ReadableStream),
    createWriteStream(target),
    signal ? { signal } : {},
  );
}

function notFound({ address }: HubAddress, error: unknown): UserError {
  const status = (error as { statusCode?: number }).statusCode;
  const { hubUrl = 'https://huggingface.co', accessToken } = hubAccess();
  if (status === 401 || status === 403 || status === 404) {
    return new UserError(
      `Cannot read ${address}: ${hubUrl} knows no such data set or revision, or does not show it (${status})`,
      accessToken
        ? 'Check the name, and that the token in HF_TOKEN may read it'
        : 'Check the name; for a private or gated data set, set HF_TOKEN to a token that may read it',
      { cause: error },
    );
  }
  return new UserError(
    `Cannot read ${address}: nothing of it is here, and the hub (${hubUrl}) cannot be asked: ${rootMessage(error)}`,
    'Go online once, set HF_ENDPOINT to a mirror, or fetch the files elsewhere and give their folder as corpus.path',
    { cause: error },
  );
}

function nothingThere({ address, path }: HubAddress, { files }: Listing): UserError {
  const some = files.slice(0, 8).map((file) => file.path);
  return new UserError(
    `Cannot read ${address}: ${path === '' ? 'the data set has' : `${path} names`} no file in JSON Lines, Parquet, Arrow, text or Markdown`,
    `It has ${some.join(', ') || 'no files'}${files.length > some.length ? ` and ${files.length - some.length} more` : ''}`,
  );
}

/** fetch says only "fetch failed" at the top of its causes. */
function rootMessage(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? rootMessage(error.cause) : errorMessage(error);
}
