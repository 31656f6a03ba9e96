/** A file's bytes as a stream, decompressed. */

import { createReadStream, existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { Decompress } from 'fzstd';
import { UserError } from '../foundation/errors.ts';
import type { Compression } from './corpus-files.ts';

/** @throws UserError where there is no such file; the stream fails for damaged data. */
export function openBytes(path: string, compression: Compression): Readable {
  if (!existsSync(path)) {
    throw new UserError(`Cannot read ${path}: there is no such file`, 'Check the path in the recipe');
  }
  const file = createReadStream(path);
  if (compression === 'none') return file;
  if (compression === 'zstd') return Readable.from(unzstd(file), { objectMode: false });
  const gunzip = createGunzip();
  file.on('error', (error) => gunzip.destroy(error));
  return file.pipe(gunzip);
}

/** node:zlib knows zstd from Node 22.15 on only. */
async function* unzstd(file: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let ready: Uint8Array[] = [];
  const decompress = new Decompress((chunk) => ready.push(chunk));
  for await (const chunk of file) {
    decompress.push(chunk);
    yield* ready;
    ready = [];
  }
  decompress.push(new Uint8Array(0), true);
  yield* ready;
}
