/** What docs/architecture.md says, held by the code: arrows between rooms, where packages and files may be used, sizes. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { type Import, ROOT, type SourceFile, sourceFiles } from './source-files.ts';

const BASE = ['foundation', 'recipe'];
const TEXT = ['stage', 'store', 'corpus', 'teacher', 'collect', 'curate'];
const TENSOR = ['graph', 'onnx', 'model', 'engine', 'quantize', 'train', 'generate', 'export'];
const SCORING = ['statistics', 'judge', 'validate', 'rounds'];

const leftOf = (room: string, half: string[]) => half.slice(0, half.indexOf(room));

/** The rooms each room may import: those to its left. The halves meet where a row names both. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  foundation: [],
  recipe: ['foundation'],
  statistics: ['foundation'],
  ...Object.fromEntries(TEXT.map((room) => [room, [...BASE, ...leftOf(room, TEXT)]])),
  // Clusters of what samples describe.
  curate: [...BASE, 'statistics', ...leftOf('curate', TEXT)],
  graph: ['foundation'],
  onnx: ['foundation', 'graph'],
  // Chat messages, for prompts.
  model: [...BASE, 'stage', 'graph', 'onnx'],
  // SFT rows, to train and calibrate with.
  engine: [...BASE, 'stage', 'curate', 'graph', 'onnx', 'model'],
  quantize: [...BASE, 'stage', 'curate', ...leftOf('quantize', TENSOR)],
  train: [...BASE, 'stage', 'curate', ...leftOf('train', TENSOR)],
  generate: [...BASE, ...leftOf('generate', TENSOR)],
  export: [...BASE, 'stage', 'curate', ...leftOf('export', TENSOR)],
  judge: [...BASE, 'statistics', ...TEXT, ...TENSOR],
  validate: [...BASE, 'statistics', 'judge', ...TEXT, ...TENSOR],
  rounds: [...BASE, 'statistics', 'judge', 'validate', ...TEXT, ...TENSOR],
  price: [...BASE, 'statistics', ...TEXT],
  report: [...BASE, 'statistics', ...TEXT, 'price'],
  review: [...BASE, ...SCORING, ...TEXT, 'price', 'report'],
  pipeline: [...BASE, ...SCORING, ...TEXT, ...TENSOR, 'price', 'report'],
  ui: [...BASE, 'pipeline'],
  cli: [...BASE, ...SCORING, ...TEXT, ...TENSOR, 'price', 'report', 'review', 'pipeline', 'ui'],
};

/** Packages that only one place may know, by prefix of the path. */
const CONFINED: Record<string, string | string[]> = {
  'onnxruntime-node': 'src/onnx/',
  '@duckdb/node-api': 'src/store/',
  'apache-arrow': ['src/curate/sft-arrow', 'src/corpus/arrow-rows', 'src/corpus/corpus-formats.test'],
  fzstd: 'src/corpus/',
  openai: 'src/teacher/',
  ajv: 'src/recipe/',
  ink: 'src/ui/',
  react: 'src/ui/',
  yaml: 'src/recipe/',
  '@huggingface/transformers': 'src/model/',
  '@huggingface/hub': ['src/model/', 'src/corpus/hub-dataset'],
  '@huggingface/gguf': 'src/model/',
  '@observablehq/plot': 'src/report/',
  linkedom: 'src/report/',
  '@saehrimnir/druidjs': 'src/statistics/',
};

/** Code that computes and nothing else: no files, no network, no clock. */
const PURE = [
  'src/graph/',
  'src/statistics/',
  'src/model/decoder-layer',
  'src/model/families',
  'src/model/rope',
  'src/model/linear',
  'src/model/layer-graphs',
];

/** Nothing of these is loaded for `mga --help`. */
const HEAVY = [...Object.keys(CONFINED).filter((name) => name !== 'yaml'), 'zod'];

const FORBIDDEN_NAMES = /(^|\/)(utils?|helpers?|common|types|lib|misc|shared)(\/|\.tsx?$)/;

const files = sourceFiles('src');
const byPath = new Map(files.map((file) => [file.path, file]));
const isTest = (path: string) => /\.test\.tsx?$/.test(path);
const production = files.filter(({ path }) => !isTest(path));
const roomOf = (path: string) => path.split('/')[1]!;
const packageOf = (specifier: string) =>
  specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
const { dependencies, devDependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Record<
  'dependencies' | 'devDependencies',
  Record<string, string>
>;

/** Every import of the files that `isWrong` objects to, as `file -> specifier`. */
function wrongImports(among: readonly SourceFile[], isWrong: (file: SourceFile, found: Import) => boolean): string[] {
  return among.flatMap((file) =>
    file.imports.filter((found) => isWrong(file, found)).map(({ specifier }) => `${file.path} -> ${specifier}`),
  );
}

test('imports follow the arrows between the rooms', () => {
  const inRooms = production.filter(({ path }) => path !== 'src/index.ts');
  expect(inRooms.map(({ path }) => roomOf(path)).filter((room) => !(room in MAY_IMPORT))).toEqual([]);
  const wrong = wrongImports(inRooms, ({ path }, { target }) => {
    if (!target?.startsWith('src/')) return false;
    return roomOf(target) !== roomOf(path) && !MAY_IMPORT[roomOf(path)]!.includes(roomOf(target));
  });
  expect(wrong).toEqual([]);
});

test('every relative import names an existing file with its extension', () => {
  expect(wrongImports(files, (_, { target }) => target?.startsWith('src/') === true && !byPath.has(target))).toEqual(
    [],
  );
});

test('packages are used only where they belong', () => {
  const wrong = wrongImports(files, ({ path }, { specifier, target }) => {
    const place = target === undefined ? CONFINED[packageOf(specifier)] : undefined;
    return place !== undefined && ![place].flat().some((prefix) => path.startsWith(prefix));
  });
  expect(wrong).toEqual([]);
});

test('computing code touches no files, processes or networks', () => {
  const pure = production.filter(({ path }) => PURE.some((prefix) => path.startsWith(prefix)));
  expect(pure.length).toBeGreaterThan(10);
  expect(wrongImports(pure, (_, { specifier }) => specifier.startsWith('node:'))).toEqual([]);
});

test('there are no import cycles', () => {
  const done = new Set<string>();
  const visit = (path: string, trail: string[]): string[] | undefined => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return undefined;
    for (const { target, kind } of byPath.get(path)?.imports ?? []) {
      const cycle = target && kind === 'static' ? visit(target, [...trail, path]) : undefined;
      if (cycle) return cycle;
    }
    done.add(path);
    return undefined;
  };
  expect(files.map(({ path }) => visit(path, [])).find((cycle) => cycle)).toBeUndefined();
});

test('mga --help loads nothing heavy', () => {
  const reached = new Set<string>();
  const reach = (path: string) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { target, kind } of byPath.get(path)?.imports ?? []) if (target && kind === 'static') reach(target);
  };
  reach('src/cli/main.ts');
  expect(reached.size).toBeGreaterThan(3);
  const loaded = [...reached].map((path) => byPath.get(path)!);
  const heavy = wrongImports(
    loaded,
    (_, { specifier, kind }) => kind === 'static' && HEAVY.includes(packageOf(specifier)),
  );
  expect(heavy).toEqual([]);
});

test('files stay small: 400 lines, tests 500', () => {
  const all = [...files, ...sourceFiles('test'), ...sourceFiles('scripts')];
  const long = all.filter(({ lines }) => lines > 300).sort((a, b) => b.lines - a.lines);
  for (const { path, lines } of long) console.warn(`${path}: ${lines} lines`);
  expect(long.filter(({ path, lines }) => lines > (path.startsWith('test/') || isTest(path) ? 500 : 400))).toEqual([]);
});

test('no file or folder is named for nothing in particular', () => {
  expect(files.filter(({ path }) => FORBIDDEN_NAMES.test(path)).map(({ path }) => path)).toEqual([]);
  const names = files.map(({ path }) => path.split('/').at(-1)!);
  expect(names.filter((name) => !/^[a-z0-9]+(-[a-z0-9]+)*(\.test)?\.tsx?$/.test(name))).toEqual([]);
});

test('every file says what it is for', () => {
  const silent = production.filter(({ text }) => !/^(#!.*\n)?\/\*\*\s/.test(text)).map(({ path }) => path);
  expect(silent).toEqual([]);
});

test('dependencies have exact versions, a use, and a line in docs/architecture.md', () => {
  const versions = Object.entries({ ...dependencies, ...devDependencies });
  expect(versions.filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version))).toEqual([]);
  const used = new Set(production.flatMap(({ imports }) => imports.map(({ specifier }) => packageOf(specifier))));
  expect(Object.keys(dependencies).filter((name) => !used.has(name))).toEqual([]);
  const docs = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  expect(versions.map(([name]) => name).filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
});

test('every room has its line in docs/architecture.md', () => {
  const docs = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const rooms = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(rooms.map(({ name }) => name).filter((name) => !docs.includes(`\`${name}\``))).toEqual([]);
});
