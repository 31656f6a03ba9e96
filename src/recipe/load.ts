/** From a recipe file and `--set` overrides to a frozen, checked Recipe. */

import { existsSync, readFileSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Document, isMap, isNode, isScalar, LineCounter, parseDocument } from 'yaml';
import type { z } from 'zod';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { crossFieldProblems } from './cross-field.ts';
import { nearestName } from './nearest-name.ts';
import { type Recipe, recipeSchema } from './schema.ts';
import { keysAt } from './schema-keys.ts';

/** Two folders above both src/recipe and dist/recipe. */
const PACKAGE_ROOT = fileURLToPath(new URL('../..', import.meta.url));

type Path = readonly (string | number)[];

/** Something wrong with a recipe. `path` leads to the key or value; `key` is set where a key itself is unknown. */
interface Problem {
  path: Path;
  message: string;
  unknownKey?: string;
}

/**
 * Reads, overrides, checks and freezes a recipe.
 *
 * @param file YAML file; looked for in the current folder, then in this package
 * @param overrides texts of the form `train.epochs=2`; the value is read as YAML
 * @throws UserError naming file, line and path of everything that is wrong
 * @example loadRecipe('recipes/debug.yaml', ['train.maxSteps=2'])
 */
export function loadRecipe(file: string, overrides: readonly string[] = []): Recipe {
  const path = findFile(file);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UserError(
      `Cannot read the recipe ${file}: ${errorMessage(error)}`,
      'Give the path of a recipe; `mga init` writes one',
    );
  }
  return parseRecipe(text, file, overrides);
}

/** The same for a recipe's text; `file` is the name errors give. */
export function parseRecipe(text: string, file: string, overrides: readonly string[] = []): Recipe {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) {
    throw new UserError(
      `Cannot read the recipe ${file}, line ${lines.linePos(syntax.pos[0]).line}: ${syntax.message}`,
      'The file must be valid YAML',
    );
  }
  const overridden = overrides.map((override) => applyOverride(document, override));
  const parsed = recipeSchema.safeParse(document.toJS());
  const problems = parsed.success ? crossFieldProblems(parsed.data) : parsed.error.issues.flatMap(describeIssue);
  if (problems.length > 0) {
    const place = (problem: Problem) => {
      const set = overridden.find((path) => path.every((key, i) => String(problem.path[i]) === String(key)));
      if (set) return `--set ${set.join('.')}`;
      const line = lineOf(document, lines, problem.path);
      return line === undefined ? file : `${file}, line ${line}`;
    };
    const told = problems.map(
      (problem) => `${place(problem)}: ${problem.path.join('.') || 'the recipe'}: ${problem.message}`,
    );
    throw new UserError(
      told.length === 1
        ? `Cannot use the recipe: ${told[0]}`
        : `Cannot use the recipe:\n${told.map((line) => `  ${line}`).join('\n')}`,
      hintFor(problems, document.toJS()),
    );
  }
  return deepFreeze(withFoundPaths(parsed.data as Recipe));
}

function applyOverride(document: Document, override: string): string[] {
  const at = override.indexOf('=');
  const path = override.slice(0, Math.max(at, 0)).split('.');
  if (at < 1 || path.includes('')) {
    throw new UserError(`Cannot apply --set ${override}: found no key=value`, 'Write for example --set train.epochs=2');
  }
  const value = parseDocument(override.slice(at + 1));
  if (value.errors[0]) throw new UserError(`Cannot apply --set ${override}: ${value.errors[0].message}`);
  const keys = path.map((key) => (/^\d+$/.test(key) ? Number(key) : key));
  try {
    document.setIn(keys, value.contents ?? null);
  } catch {
    throw new UserError(
      `Cannot apply --set ${override}: ${path.slice(0, -1).join('.')} is not a section`,
      'Name a key of docs/recipe.md; elements of a list by their number, from 0',
    );
  }
  return path;
}

function describeIssue(issue: z.core.$ZodIssue): Problem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key', unknownKey: key }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return nearestMember(issue.errors).flatMap((inner) => describeIssue({ ...inner, path: [...path, ...inner.path] }));
  }
  const missing = issue.code === 'invalid_type' && /received undefined/.test(issue.message);
  return [{ path, message: missing ? `missing (${issue.expected})` : lowerFirst(issue.message) }];
}

/** What is wrong with the member of a union that the value comes nearest to: the one whose faults lie deepest. */
function nearestMember(members: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] {
  const nearness = (issues: readonly z.core.$ZodIssue[]) =>
    Math.max(
      ...issues.map(
        ({ code, path }) => path.length + (code === 'unrecognized_keys' ? 1 : 0) - (code === 'invalid_type' ? 0.5 : 0),
      ),
    );
  return [...members].sort((a, b) => nearness(b) - nearness(a))[0]!;
}

/** The line of the key or value at `path`, or of its nearest ancestor that stands in the file. */
function lineOf(document: Document, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last) : undefined;
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

function hintFor(problems: readonly Problem[], data: unknown): string {
  for (const { path, unknownKey } of problems) {
    if (unknownKey === undefined) continue;
    const known = keysAt(recipeSchema, path.slice(0, -1), data);
    const nearest = nearestName(unknownKey, known);
    return nearest ? `Did you mean ${[...path.slice(0, -1), nearest].join('.')}?` : `Known keys: ${known.join(', ')}`;
  }
  return 'docs/recipe.md lists every key';
}

/** A file of the current folder, or, where there is none, of this package (so that an installed package finds its own data). */
function findFile(path: string): string {
  if (isAbsolute(path) || existsSync(path)) return path;
  const packaged = join(PACKAGE_ROOT, path);
  return existsSync(packaged) ? packaged : path;
}

function withFoundPaths(recipe: Recipe): Recipe {
  const { corpus, splits, teacher, collect, judge, validate } = recipe;
  return {
    ...recipe,
    corpus: { ...corpus, path: findFile(corpus.path) },
    splits: splits.file === undefined ? splits : { ...splits, file: findFile(splits.file) },
    teacher: withFoundFolder(teacher),
    judge: withFoundTeachers(judge),
    validate: { ...validate, judge: withFoundTeachers(validate.judge) },
    collect: collect.judgeTexts === undefined ? collect : { ...collect, judgeTexts: findFile(collect.judgeTexts) },
  };
}

function withFoundFolder(teacher: Recipe['teacher']): Recipe['teacher'] {
  return teacher.kind === 'recorded' ? { ...teacher, folder: findFile(teacher.folder) } : teacher;
}

function withFoundTeachers<
  T extends { teacher?: Recipe['teacher'] | undefined; second?: Recipe['teacher'] | undefined },
>(judge: T): T {
  const { teacher, second } = judge;
  return {
    ...judge,
    ...(teacher && { teacher: withFoundFolder(teacher) }),
    ...(second && { second: withFoundFolder(second) }),
  };
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
