/** What is wrong with a YAML file that a strict schema checks: where, in which line, and what was meant. */

import { type Document, isMap, isNode, isScalar, type LineCounter } from 'yaml';
import type { z } from 'zod';
import { nearestName } from './nearest-name.ts';
import { keysAt } from './schema-keys.ts';

type Path = readonly (string | number)[];

/** `path` leads to the key or value; `unknownKey` is set where a key itself is unknown. */
export interface YamlProblem {
  path: Path;
  message: string;
  unknownKey?: string;
}

/** What zod found, in the words of these errors. */
export function issueProblems(issue: z.core.$ZodIssue): YamlProblem[] {
  const path = issue.path as Path;
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], message: 'unknown key', unknownKey: key }));
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    return nearestMember(issue.errors).flatMap((inner) => issueProblems({ ...inner, path: [...path, ...inner.path] }));
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
export function lineOf(document: Document, lines: LineCounter, path: Path): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const parent = length === 1 ? document.contents : document.getIn(path.slice(0, length - 1), true);
    const last = path[length - 1];
    const pair = isMap(parent) ? parent.items.find(({ key }) => isScalar(key) && key.value === last) : undefined;
    const node = pair ? pair.key : document.getIn(path.slice(0, length), true);
    if (isNode(node) && node.range) return lines.linePos(node.range[0]).line;
  }
  return undefined;
}

/** "Did you mean ...?" for the first unknown key; undefined where none is. */
export function hintFor(problems: readonly YamlProblem[], schema: z.core.$ZodType, data: unknown): string | undefined {
  for (const { path, unknownKey } of problems) {
    if (unknownKey === undefined) continue;
    const known = keysAt(schema, path.slice(0, -1), data);
    const nearest = nearestName(unknownKey, known);
    return nearest ? `Did you mean ${[...path.slice(0, -1), nearest].join('.')}?` : `Known keys: ${known.join(', ')}`;
  }
  return undefined;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
