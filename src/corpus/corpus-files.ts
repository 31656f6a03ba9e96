/** The files a corpus path names: a file, a folder, or a glob. */

import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { UserError } from '../foundation/errors.ts';

export type CorpusFormat = 'jsonl' | 'parquet' | 'arrow' | 'text';
export type Compression = 'gzip' | 'zstd' | 'none';

export interface CorpusFile {
  path: string;
  format: CorpusFormat;
  compression: Compression;
  /** Path below the named folder (or the glob's fixed part) without extensions: the id of a text file's document. */
  name: string;
  /** Of a file that may not be here yet: brings it, and tells where it lies then. */
  fetch?(): Promise<string>;
}

const FORMATS: Readonly<Record<string, CorpusFormat>> = {
  jsonl: 'jsonl',
  ndjson: 'jsonl',
  json: 'jsonl',
  parquet: 'parquet',
  arrow: 'arrow',
  txt: 'text',
  text: 'text',
  md: 'text',
  markdown: 'text',
};
const COMPRESSIONS: Readonly<Record<string, Compression>> = { gz: 'gzip', zst: 'zstd', zstd: 'zstd' };

/** Files beside the data of an Arrow folder or a data set, which hold no documents. */
const NO_DATA = /^(state|dataset_info|dataset_dict|dataset_infos)\.json$|^(README|LICENSE)\b/i;

/**
 * The files of a corpus in order of their paths. A single file may have any name: without a known extension it is JSON Lines.
 *
 * @throws UserError where nothing is found
 */
export function corpusFiles(path: string): CorpusFile[] {
  if (existsSync(path) && statSync(path).isFile()) return [corpusFile(path, dirname(path)) ?? asJsonLines(path)];
  const isGlob = /[*?{]/.test(path) && !existsSync(path);
  const root = isGlob ? fixedPart(path) : path;
  if (!existsSync(root))
    throw new UserError(`Cannot read ${path}: there is no such file`, 'Check the path in the recipe');
  const wanted = isGlob ? globPattern(path) : undefined;
  const files = filesBelow(root)
    .filter((file) => wanted?.test(file.split(sep).join('/')) ?? !NO_DATA.test(file.split(sep).at(-1)!))
    .flatMap((file) => corpusFile(file, root) ?? []);
  if (files.length > 0) return files;
  throw new UserError(
    `Cannot read ${path}: no file there is JSON Lines, Parquet, Arrow, text or Markdown`,
    'They are told by their extensions, before .gz or .zst where compressed',
  );
}

/**
 * The same of a listing: those of `paths` that `wanted` names.
 *
 * @param paths relative, with slashes
 * @param wanted a file, a folder, a glob, or empty for all
 */
export function listedFiles(paths: readonly string[], wanted: string): CorpusFile[] {
  if (paths.includes(wanted)) return [corpusFile(wanted, dirname(wanted)) ?? asJsonLines(wanted)];
  const isGlob = /[*?{]/.test(wanted);
  const folder = isGlob ? fixedPart(wanted) : wanted.replace(/\/+$/, '') || '.';
  const pattern = isGlob ? globPattern(wanted) : undefined;
  const isBelow = (path: string) => folder === '.' || path.startsWith(`${folder}/`);
  return paths
    .filter((path) => isBelow(path) && !path.split('/').some((part) => part.startsWith('.')))
    .filter((path) => pattern?.test(path) ?? !NO_DATA.test(path.split('/').at(-1)!))
    .sort()
    .flatMap((path) => corpusFile(path, folder) ?? []);
}

function corpusFile(path: string, root: string): CorpusFile | undefined {
  const parts = path.split(sep).at(-1)!.toLowerCase().split('.');
  const compression = COMPRESSIONS[parts.at(-1)!] ?? 'none';
  const extension = parts.at(compression === 'none' ? -1 : -2);
  const format = parts.length > 1 && extension !== undefined ? FORMATS[extension] : undefined;
  if (format === undefined) return undefined;
  const suffix = extension!.length + 1 + (compression === 'none' ? 0 : parts.at(-1)!.length + 1);
  return { path, format, compression, name: relative(root, path).slice(0, -suffix).split(sep).join('/') };
}

function asJsonLines(path: string): CorpusFile {
  const compression = COMPRESSIONS[path.split('.').at(-1)!.toLowerCase()] ?? 'none';
  return { path, format: 'jsonl', compression, name: path };
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      if (entry.name.startsWith('.')) return [];
      const path = join(folder, entry.name);
      // Links may point to files, as in the hub's cache.
      const isFolder = entry.isSymbolicLink() ? statSync(path).isDirectory() : entry.isDirectory();
      return isFolder ? filesBelow(path) : [path];
    });
}

/** The folder above the first wildcard. */
function fixedPart(glob: string): string {
  const parts = glob.split('/');
  const first = parts.findIndex((part) => /[*?{]/.test(part));
  return parts.slice(0, first).join('/') || (glob.startsWith('/') ? '/' : '.');
}

/** `*` and `?` stay within a name, `**` crosses folders, `{a,b}` is either. */
function globPattern(glob: string): RegExp {
  const source = glob
    .replace(/^\.\//, '')
    .replace(/[.+^$()|[\]\\]/g, '\\$&')
    .replace(/\{([^}]*)\}/g, (_, choices: string) => `(?:${choices.replaceAll(',', '|')})`)
    .replace(
      /\*\*\/|\*\*|\*|\?(?!:)/g,
      (wild) => ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' })[wild]!,
    );
  return new RegExp(`^(?:\\./)?${source}$`);
}
