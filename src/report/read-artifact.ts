/** Reads a run's files for the report: whatever is absent or damaged becomes a note, never an error. */

import { existsSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { errorMessage } from '../foundation/errors.ts';

export type JsonObject = Record<string, unknown>;

/** Told in a sentence of everything that could not be read. */
export type Note = (sentence: string) => void;

/** Whether a parsed JSON value is an object (and no array). */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The value of `object[name]` if it is a finite number. */
export function numberAt(object: JsonObject | undefined, ...names: string[]): number | undefined {
  for (const name of names) {
    const value = object?.[name];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return undefined;
}

/** The value of `object[name]` if it is a string that is not empty. */
export function textAt(object: JsonObject | undefined, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = object?.[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** The value of `object[name]` if it is a boolean. */
export function flagAt(object: JsonObject | undefined, name: string): boolean | undefined {
  const value = object?.[name];
  return typeof value === 'boolean' ? value : undefined;
}

/** The file's text, or undefined where there is no such file. */
export function readText(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
}

/** The file's JSON value. Absent: undefined; damaged: undefined and a note. */
export function readJson(path: string, note: Note): unknown {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text);
  } catch (error) {
    note(`${basename(path)} cannot be read: ${errorMessage(error)}.`);
    return undefined;
  }
}

/** The objects of a JSON Lines file. Absent: undefined; lines that are no JSON objects are left out and counted in a note. */
export function readJsonLines(path: string, note: Note): JsonObject[] | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  const objects: JsonObject[] = [];
  let damaged = 0;
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue;
    const value = parseLine(line);
    if (isObject(value)) objects.push(value);
    else damaged++;
  }
  if (damaged > 0) note(`${basename(path)}: ${damaged} damaged ${damaged === 1 ? 'line was' : 'lines were'} left out.`);
  return objects;
}

function parseLine(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
