/** Safetensors files: read by range into f32, written atomically one tensor at a time. Little-endian hosts, as Node's are. */

import { closeSync, fstatSync, openSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { UserError } from '../foundation/errors.ts';
import { bfloat16ToFloat32, float16ToFloat32 } from './float16.ts';
import { readRange } from './read-range.ts';
import {
  ELEMENT_BYTES,
  parseSafetensorsHeader,
  type SafetensorsEntry,
  type SafetensorsHeader,
  type StoredDType,
} from './safetensors-header.ts';

/** The format's own limit; a longer header is an attack or another file type. */
const MAX_HEADER_BYTES = 100_000_000;

export type StoredArray = Float32Array | Int8Array | Uint8Array | Int32Array | BigInt64Array;

/** A tensor to be written: its data, or a function that makes the data when its turn comes. */
export type WritableTensor =
  | { readonly shape: readonly number[]; readonly data: StoredArray }
  | { readonly shape: readonly number[]; readonly dtype: StoredDType; readonly read: () => StoredArray };

export interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** Reads the header alone: names, types, shapes, and the free metadata. */
export function readSafetensorsHeader(path: string): SafetensorsHeader {
  return withFile(path, (_file, header) => header);
}

/**
 * Reads tensors of a safetensors file as f32 (F32, F16 and BF16 are read, all exactly).
 *
 * @param names the tensors wanted; all where left out
 * @throws UserError where the file is damaged, lacks a tensor, or holds it in another type
 */
export function readSafetensors(path: string, names?: Iterable<string>): Map<string, FloatTensor> {
  return withFile(path, (file, header, dataStart) => {
    const tensors = new Map<string, FloatTensor>();
    for (const name of names ?? header.entries.keys()) {
      const entry = header.entries.get(name);
      if (entry === undefined) throw new UserError(`Cannot read ${path}: it has no tensor ${name}`);
      tensors.set(name, { shape: entry.shape, data: readFloats(file, dataStart, entry, `${path}: tensor ${name}`) });
    }
    return tensors;
  });
}

/**
 * Writes a safetensors file atomically, tensors ordered as the reference writer does (wider types first, then by name),
 * so that equal tensors give equal bytes.
 *
 * @param metadata free texts; transformers insists on `format: pt`, hence the default
 */
export function writeSafetensors(
  path: string,
  tensors: ReadonlyMap<string, WritableTensor>,
  metadata: Readonly<Record<string, string>> = { format: 'pt' },
): void {
  const ordered = [...tensors].sort(
    ([a, left], [b, right]) =>
      ELEMENT_BYTES[dtypeOf(right)] - ELEMENT_BYTES[dtypeOf(left)] || (a < b ? -1 : a > b ? 1 : 0),
  );
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, tensor] of ordered) {
    const dtype = dtypeOf(tensor);
    const bytes = tensor.shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtype]);
    header[name] = { dtype, shape: tensor.shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  // Padded with spaces so that the data begins at a multiple of eight bytes.
  const padded = Buffer.alloc(Math.ceil(json.length / 8) * 8, ' ');
  json.copy(padded);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));
  writeFileAtomic(
    path,
    length,
    padded,
    ...ordered.map(
      ([name, tensor]) =>
        () =>
          bytesOf(name, tensor),
    ),
  );
}

function bytesOf(name: string, tensor: WritableTensor): Uint8Array {
  const data = 'read' in tensor ? tensor.read() : tensor.data;
  const expected = tensor.shape.reduce((product, size) => product * size, ELEMENT_BYTES[dtypeOf(tensor)]);
  if (data.byteLength !== expected) {
    throw new Error(`Cannot write tensor ${name}: [${tensor.shape}] needs ${expected} bytes, got ${data.byteLength}`);
  }
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function dtypeOf(tensor: WritableTensor): StoredDType {
  if ('dtype' in tensor) return tensor.dtype;
  if (tensor.data instanceof Float32Array) return 'F32';
  if (tensor.data instanceof Int8Array) return 'I8';
  if (tensor.data instanceof Uint8Array) return 'U8';
  return tensor.data instanceof Int32Array ? 'I32' : 'I64';
}

function readFloats(file: number, dataStart: number, entry: SafetensorsEntry, what: string): Float32Array {
  if (entry.dtype !== 'F32' && entry.dtype !== 'F16' && entry.dtype !== 'BF16') {
    throw new UserError(`Cannot read ${what} as numbers: its dtype is ${entry.dtype}`, 'F32, F16 and BF16 are read');
  }
  const bytes = readRange(file, dataStart + entry.begin, entry.end - entry.begin, what);
  if (entry.dtype === 'F32') return new Float32Array(bytes.buffer);
  const bits = new Uint16Array(bytes.buffer);
  return entry.dtype === 'F16' ? float16ToFloat32(bits) : bfloat16ToFloat32(bits);
}

function withFile<T>(path: string, use: (file: number, header: SafetensorsHeader, dataStart: number) => T): T {
  const hint = 'Expected a safetensors file; pickled weights (.bin, .pt) are never read';
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new UserError(`Cannot open ${path}: ${(error as Error).message}`, hint, { cause: error });
  }
  try {
    const size = fstatSync(file).size;
    if (size < 8) throw new UserError(`Cannot read ${path}: ${size} bytes are too few for safetensors`, hint);
    const headerBytes = Number(Buffer.from(readRange(file, 0, 8, path)).readBigUInt64LE());
    if (headerBytes > MAX_HEADER_BYTES || 8 + headerBytes > size) {
      throw new UserError(`Cannot read ${path}: a header of ${headerBytes} bytes in a file of ${size}`, hint);
    }
    const json = new TextDecoder().decode(readRange(file, 8, headerBytes, path));
    return use(file, parseSafetensorsHeader(json, size - 8 - headerBytes, path), 8 + headerBytes);
  } finally {
    closeSync(file);
  }
}
