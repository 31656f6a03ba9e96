/** Named lists of patterns that texts are dropped for: those of data/patterns, and a recipe's own files. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LineCounter, parseDocument } from 'yaml';
import { z } from 'zod';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { findFile, PACKAGE_ROOT } from './find-file.ts';
import { nearestName } from './nearest-name.ts';
import { hintFor, issueProblems, lineOf } from './yaml-problems.ts';

export interface TextPattern {
  readonly name: string;
  /** Where it counts: in the first line, in the last paragraph, or anywhere. Good texts hold some of them in the middle. */
  readonly where: 'start' | 'end' | 'anywhere';
  readonly pattern: RegExp;
}

const FOLDER = join(PACKAGE_ROOT, 'data', 'patterns');
const EXTENSION = /\.ya?ml$/;
/** Case never counts; `u` knows \p{L} and its like. */
const FLAGS = 'iu';

const listSchema = z.strictObject({
  description: z.string(),
  patterns: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'),
        where: z.enum(['start', 'end', 'anywhere']),
        pattern: z
          .string()
          .min(1)
          .superRefine((source, issues) => {
            try {
              new RegExp(source, FLAGS);
            } catch (error) {
              issues.addIssue({ code: 'custom', message: errorMessage(error) });
            }
          }),
      }),
    )
    .min(1),
});

/** The lists that come with the toolkit, by name. */
export function patternListNames(): string[] {
  return readdirSync(FOLDER)
    .filter((file) => EXTENSION.test(file))
    .map((file) => file.replace(EXTENSION, ''))
    .sort();
}

/** What is wrong with the name of a list; undefined for a known name, and for the path of a file. */
export function patternListProblem(list: string): string | undefined {
  const known = patternListNames();
  if (isPath(list) || known.includes(list)) return undefined;
  const nearest = nearestName(list, known);
  return `there is no pattern list ${list}${nearest ? `; did you mean ${nearest}?` : `: known are ${known.join(', ')}; a file of your own is named by its path, list.yaml`}`;
}

/**
 * The patterns of several lists, in order.
 *
 * @param lists names of data/patterns, or paths of YAML files of the same form
 * @throws UserError naming file, line and key of what is wrong with a list
 * @example readPatternLists(['announcements', 'my-patterns.yaml'])
 */
export function readPatternLists(lists: readonly string[]): TextPattern[] {
  return lists.flatMap((list) => readPatternList(isPath(list) ? findFile(list) : join(FOLDER, `${list}.yaml`)));
}

function readPatternList(file: string): TextPattern[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new UserError(
      `Cannot read the pattern list ${file}: ${errorMessage(error)}`,
      `curate.patterns takes paths and these names: ${patternListNames().join(', ')}`,
    );
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const syntax = document.errors[0];
  if (syntax) {
    const { line } = lines.linePos(syntax.pos[0]);
    throw new UserError(`Cannot read the pattern list ${file}, line ${line}: ${syntax.message}`);
  }
  const data: unknown = document.toJS();
  const parsed = listSchema.safeParse(data);
  if (parsed.success) {
    return parsed.data.patterns.map(({ pattern, ...rest }) => ({ ...rest, pattern: new RegExp(pattern, FLAGS) }));
  }
  const problems = parsed.error.issues.flatMap(issueProblems);
  const told = problems.map(({ path, message }) => {
    const line = lineOf(document, lines, path);
    return `${file}${line === undefined ? '' : `, line ${line}`}: ${path.join('.') || 'the list'}: ${message}`;
  });
  throw new UserError(
    `Cannot use the pattern list: ${told.join('; ')}`,
    hintFor(problems, listSchema, data) ?? `docs/curating.md has the form`,
  );
}

const isPath = (list: string) => /[/\\]/.test(list) || EXTENSION.test(list);
