/** From a recipe file and `--set` overrides to a frozen, checked Recipe. */

import { readFileSync } from 'node:fs';
import { type Document, LineCounter, parseDocument } from 'yaml';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { crossFieldProblems } from './cross-field.ts';
import { findFile } from './find-file.ts';
import { type Recipe, recipeSchema } from './schema.ts';
import { hintFor, issueProblems, lineOf, type YamlProblem } from './yaml-problems.ts';

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
  const problems = parsed.success ? crossFieldProblems(parsed.data) : parsed.error.issues.flatMap(issueProblems);
  if (problems.length > 0) {
    const place = (problem: YamlProblem) => {
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
      hintFor(problems, recipeSchema, document.toJS()) ?? 'docs/recipe.md lists every key',
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

function deepFreeze<T>(value: T): T {
  if (value !== null && typeof value === 'object') {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}
