/** Reads JSON Lines files row by row against a schema; errors name the file and the line. */

import { createReadStream, existsSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { errorMessage, UserError } from '../foundation/errors.ts';

/**
 * The rows of a JSON Lines file, as a stream. Blank lines are skipped.
 *
 * @throws UserError for a missing file, and for the first row that is no JSON or does not fit the schema
 */
export async function* readJsonLines<S extends z.ZodType>(path: string, schema: S): AsyncGenerator<z.output<S>> {
  if (!existsSync(path)) {
    throw new UserError(`Cannot read ${path}: there is no such file`, 'Check the path in the recipe');
  }
  const lines = createInterface({ input: createReadStream(path, 'utf8'), crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  for await (const line of lines) {
    number++;
    if (line.trim() === '') continue;
    yield parseRow(line, schema, `${path}, line ${number}`);
  }
}

function parseRow<S extends z.ZodType>(line: string, schema: S, place: string): z.output<S> {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new UserError(`Cannot read ${place}: ${errorMessage(error)}`, 'Each line must be one JSON object');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0]!;
  const field = issue.path.length === 0 ? 'the row' : `field \`${issue.path.join('.')}\``;
  throw new UserError(`Cannot read ${place}: ${field}: ${issue.message}`, 'Mend the row, or take it out of the file');
}
