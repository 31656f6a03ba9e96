/** What `mga doctor` looks at. Each check says what it found and, where something is missing, what to do. */

import { existsSync, readFileSync, statfsSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { validationJudging } from '../collect/judges.ts';
import { filesOf } from '../corpus/documents.ts';
import { isHubAddress } from '../corpus/hub-address.ts';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { freeMemory } from '../foundation/free-memory.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { providerSettings } from '../teacher/provider-settings.ts';

export interface Check {
  name: string;
  /** `warn`: it works, but worse; `fail`: a run cannot succeed. */
  state: 'ok' | 'warn' | 'fail';
  found: string;
  advice?: string;
}

/** Training SmolLM2-135M peaks at 2.0 GB with layer graphs; the rest is Node, tokenizer, store. */
const LEAST_MEMORY_GB = 3;
/** Weights (0.5 GB in f32), their cached copy, adapters and two ONNX exports of two students. */
const LEAST_DISK_GB = 5;

/** Checks of the machine itself. */
export async function machineChecks(): Promise<Check[]> {
  return [
    { name: 'Node', state: 'ok', found: `${process.version} on ${process.platform} ${process.arch}` },
    processorCheck(),
    memoryCheck(),
    diskCheck(),
    await loadCheck('onnxruntime', async () => {
      await import('../onnx/session.ts');
    }),
    await loadCheck('DuckDB', async () => {
      const { openMemoryStore } = await import('../store/database.ts');
      (await openMemoryStore()).close();
    }),
  ];
}

/** Checks of what a recipe needs. `resolve` says where a model would come from, or throws a UserError. */
export async function recipeChecks(
  recipe: Recipe,
  env: NodeJS.ProcessEnv,
  resolve: (model: string) => Promise<string>,
): Promise<Check[]> {
  const models = [...new Set(recipe.students.map((student) => studentTrain(recipe, student).model))];
  return [
    await corpusCheck(recipe.corpus.path),
    ...(recipe.splits.file === undefined ? [] : [fileCheck('Splits', recipe.splits.file)]),
    ...(recipe.collect.judgeTexts === undefined ? [] : [fileCheck('Judge texts', recipe.collect.judgeTexts)]),
    ...teacherChecks(recipe, env),
    ...(await Promise.all(models.map((model) => weightsCheck(model, resolve)))),
  ];
}

function processorCheck(): Check {
  const cores = `${availableParallelism()} cores`;
  const flags = processorFlags();
  if (flags === undefined) {
    return { name: 'Processor', state: 'ok', found: `${cores}; its instruction sets cannot be read on this system` };
  }
  const vnni = ['avx512_vnni', 'avx_vnni'].filter((flag) => flags.has(flag));
  if (vnni.length > 0) return { name: 'Processor', state: 'ok', found: `${cores}, ${vnni.join(', ')}` };
  const found = `${cores}, ${['avx512f', 'avx2'].find((flag) => flags.has(flag)) ?? 'no AVX2'}, no VNNI`;
  const advice = 'int8 kernels are slower here; train.precision f32 may be as fast';
  return { name: 'Processor', state: 'warn', found, advice };
}

function processorFlags(): Set<string> | undefined {
  if (!existsSync('/proc/cpuinfo')) return undefined;
  const line = /^flags\s*:(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'));
  return line ? new Set(line[1]!.trim().split(/\s+/)) : undefined;
}

function memoryCheck(): Check {
  const free = freeMemory() / 1e9;
  const found = `${free.toFixed(1)} GB free of ${(totalmem() / 1e9).toFixed(1)} GB`;
  return free >= LEAST_MEMORY_GB
    ? { name: 'Memory', state: 'ok', found }
    : { name: 'Memory', state: 'warn', found, advice: `Training a 135M student wants ${LEAST_MEMORY_GB} GB` };
}

function diskCheck(): Check {
  const { bavail, bsize } = statfsSync('.');
  const free = (bavail * bsize) / 1e9;
  const found = `${free.toFixed(1)} GB free in the current folder`;
  return free >= LEAST_DISK_GB
    ? { name: 'Disk', state: 'ok', found }
    : { name: 'Disk', state: 'warn', found, advice: `Weights and exports of two students want ${LEAST_DISK_GB} GB` };
}

async function loadCheck(name: string, load: () => Promise<void>): Promise<Check> {
  try {
    await load();
    return { name, state: 'ok', found: 'loads' };
  } catch (error) {
    const advice = 'Its native library does not fit this system: install again with npm ci on it';
    return { name, state: 'fail', found: errorMessage(error).split('\n')[0]!, advice };
  }
}

function fileCheck(name: string, path: string): Check {
  return existsSync(path)
    ? { name, state: 'ok', found: path }
    : { name, state: 'fail', found: `no file ${path}`, advice: 'Check the path in the recipe' };
}

/** A corpus may be a file, a folder, a glob, or a data set on the hub, which is asked what it has. */
async function corpusCheck(path: string): Promise<Check> {
  if (!isHubAddress(path) && !/[*?{]/.test(path) && !existsSync(path)) return fileCheck('Corpus', path);
  try {
    const files = await filesOf(path);
    return { name: 'Corpus', state: 'ok', found: files.length === 1 ? path : `${path}: ${files.length} files` };
  } catch (error) {
    const advice = error instanceof UserError && error.hint !== undefined ? { advice: error.hint } : {};
    return { name: 'Corpus', state: 'fail', found: errorMessage(error), ...advice };
  }
}

/** Everyone who is asked: the labeler, the judges of collect and of validate, and arms that are servers; each place once. */
function teacherChecks(recipe: Recipe, env: NodeJS.ProcessEnv): Check[] {
  const { judge, validate } = recipe;
  const judging = validationJudging(recipe);
  const byLlm = validate.judge.kind === 'teacher' ? [judging.teacher, judging.second] : [];
  const judges = recipe.collect.stages.includes('judge') ? [judge.teacher, judge.second] : [];
  const asked: [role: string, Recipe['teacher'] | undefined][] = [
    ['', recipe.teacher],
    ...[...judges, ...byLlm].map((one): [string, typeof one] => ['judge', one]),
  ];
  const checks = asked.flatMap(([role, one]) => (one === undefined ? [] : placeChecks(role, one, env)));
  const arms = validate.arms.flatMap((arm) =>
    typeof arm === 'object' && arm.kind === 'server' ? keyCheck(`arm ${arm.name}`, arm.apiKeyEnv, env) : [],
  );
  const seen = new Set<string>();
  return [...checks, ...arms].filter(({ name, found }) => {
    const what = `${name.replace(/ \(.*/, '')}: ${found}`;
    return !seen.has(what) && seen.add(what);
  });
}

function placeChecks(role: string, teacher: Recipe['teacher'], env: NodeJS.ProcessEnv): Check[] {
  if (teacher.kind === 'recorded') return [{ ...fileCheck('Teacher', teacher.folder), name: 'Teacher (a recording)' }];
  return providerSettings(teacher).flatMap(({ name, settings }) =>
    settings.kind === 'openai'
      ? [keyCheck(role, settings.apiKeyEnv, env, name), urlCheck(role, settings.baseUrlEnv, env, name)]
      : [],
  );
}

function keyCheck(role: string, variable: string, env: NodeJS.ProcessEnv, provider?: string): Check {
  const name = named('Key', role, provider);
  if (env[variable]) return { name, state: 'ok', found: `${variable} is set` };
  const advice = `export ${variable}=...; any text for servers without keys`;
  return { name, state: 'fail', found: `${variable} is not set`, advice };
}

function urlCheck(role: string, variable: string, env: NodeJS.ProcessEnv, provider?: string): Check {
  const name = named('Server', role, provider);
  const url = env[variable];
  if (!url) {
    const advice = `export ${variable}=http://... for another one`;
    return { name, state: 'warn', found: `${variable} is not set: https://api.openai.com/v1`, advice };
  }
  if (URL.canParse(url) && /^https?:/.test(url)) return { name, state: 'ok', found: url };
  return {
    name,
    state: 'fail',
    found: `${variable} is ${url}, which is no URL`,
    advice: 'It looks like http://localhost:8000/v1',
  };
}

/** The labeler's are called plainly; of others, who they are for. */
function named(what: string, role: string, provider?: string): string {
  const whose = provider === undefined ? what : `${what} of ${provider}`;
  return role === '' ? whose : `${whose} (${role})`;
}

async function weightsCheck(model: string, resolve: (model: string) => Promise<string>): Promise<Check> {
  const name = `Weights of ${model}`;
  try {
    return { name, state: 'ok', found: await resolve(model) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { name, state: 'fail', found: error.message, ...(error.hint === undefined ? {} : { advice: error.hint }) };
  }
}
