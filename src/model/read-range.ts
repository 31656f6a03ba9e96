/** Reads a byte range of an open file; sizes beyond what one read call can do are fine. */

import { readSync } from 'node:fs';
import { UserError } from '../foundation/errors.ts';

/** Node refuses single reads of 2 GiB and more. */
const LARGEST_READ = 2 ** 30;

/**
 * @param what names the range in messages
 * @returns a fresh array that owns its buffer, so that typed arrays can view it from byte 0
 * @throws UserError where the file ends early
 */
export function readRange(file: number, position: number, length: number, what: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let done = 0; done < length; ) {
    const read = readSync(file, bytes, done, Math.min(length - done, LARGEST_READ), position + done);
    if (read === 0) {
      throw new UserError(`Cannot read ${what}: the file ends ${length - done} bytes early`, 'Fetch the file again');
    }
    done += read;
  }
  return bytes;
}
