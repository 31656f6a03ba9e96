/** Reads JSON Lines files row by row against a schema; errors name the file and the line. */

import { createInterface } from 'node:readline';
import type { z } from 'zod';
import { errorMessage, UserError } from '../foundation/errors.ts';
import type { Compression } from './corpus-files.ts';
import { openBytes } from './open-bytes.ts';

/**
 * The rows of a JSON Lines file, as a stream. Blank lines are skipped.
 *
 * @throws UserError for a missing file, and for the first row that is no JSON or does not fit the schema
 */
export async function* readJsonLines<S extends z.ZodType>(path: string, schema: S): AsyncGenerator<z.output<S>> {
  for await (const { value, where } of jsonLines(path)) {
    const parsed = schema.safeParse(value);
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      const field = issue.path.length === 0 ? 'the row' : `field \`${issue.path.join('.')}\``;
      throw new UserError(
        `Cannot read ${where}: ${field}: ${issue.message}`,
        'Mend the row, or take it out of the file',
      );
    }
    yield parsed.data;
  }
}

/**
 * The values of a JSON Lines file, unchecked, each with file and line for messages.
 *
 * @throws UserError for a missing or damaged file, and for the first line that is no JSON
 */
export async function* jsonLines(
  path: string,
  compression: Compression = 'none',
): AsyncGenerator<{ value: unknown; where: string }> {
  const input = openBytes(path, compression);
  const lines = createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY });
  let number = 0;
  try {
    for await (const line of lines) {
      number++;
      if (line.trim() === '') continue;
      yield { value: parse(line, `${path}, line ${number}`), where: `${path}, line ${number}` };
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(`Cannot read ${path} after line ${number}: ${errorMessage(error)}`, 'The file seems damaged');
  } finally {
    input.destroy();
  }
}

function parse(line: string, place: string): unknown {
  try {
    return JSON.parse(line);
  } catch (error) {
    throw new UserError(`Cannot read ${place}: ${errorMessage(error)}`, 'Each line must be one JSON object');
  }
}
