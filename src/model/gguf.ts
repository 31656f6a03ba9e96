/** GGUF files: metadata, and tensors as f32. Header parsing is @huggingface/gguf's, data is read by range. */

import { closeSync, existsSync, openSync, statSync } from 'node:fs';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { dequantize, ggmlTypeOf } from './gguf-dequantize.ts';
import { readRange } from './read-range.ts';

export interface GgufTensor {
  /** ggml's type number. */
  readonly type: number;
  /** Outermost dimension first, as the hub writes shapes; GGUF itself has them the other way round. */
  readonly shape: readonly number[];
  /** Bytes from the start of the file. */
  readonly position: number;
}

export interface GgufFile {
  readonly path: string;
  readonly metadata: ReadonlyMap<string, unknown>;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
}

/**
 * Opens a GGUF file (version 2 or 3, little-endian).
 *
 * @throws UserError where the file is missing, not GGUF, or cut off
 */
export async function openGguf(path: string): Promise<GgufFile> {
  if (!existsSync(path)) throw new UserError(`Cannot open ${path}: no such file`);
  const { gguf } = await import('@huggingface/gguf');
  const parsed = await gguf(path, { allowLocalFile: true }).catch((error: unknown) => {
    throw new UserError(`Cannot read ${path}: ${errorMessage(error)}`, 'Expected a GGUF file', { cause: error });
  });
  const version = parsed.metadata.version;
  if (!parsed.littleEndian || version < 2) {
    throw new UserError(
      `Cannot read ${path}: GGUF version ${version}, ${parsed.littleEndian ? 'little' : 'big'}-endian`,
    );
  }
  const size = statSync(path).size;
  const tensors = new Map<string, GgufTensor>();
  for (const info of parsed.tensorInfos) {
    const tensor = {
      type: info.dtype as number,
      shape: info.shape.map(Number).reverse(),
      position: Number(parsed.tensorDataOffset + info.offset),
    };
    const bytes = storedBytes(tensor);
    if (bytes !== undefined && tensor.position + bytes > size) {
      throw new UserError(
        `Cannot read ${path}: tensor ${info.name} ends at byte ${tensor.position + bytes}, the file at ${size}`,
        'The file is cut off; fetch it again',
      );
    }
    tensors.set(info.name, tensor);
  }
  return { path, metadata: new Map(Object.entries(parsed.metadata)), tensors };
}

/**
 * Reads a tensor as f32, row-major.
 *
 * @throws UserError where the tensor is missing or its type is not read
 */
export function readGgufTensor(file: GgufFile, name: string): Float32Array {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw new UserError(`Cannot read ${file.path}: it has no tensor ${name}`);
  const bytes = storedBytes(tensor);
  if (bytes === undefined) {
    throw new UserError(
      `Cannot read ${file.path}: tensor ${name} has ggml type ${tensor.type}`,
      'F32, F16, BF16, Q4_1 and Q8_0 are read; convert the file, or use the safetensors of the same model',
    );
  }
  const handle = openSync(file.path, 'r');
  try {
    return dequantize(tensor.type, readRange(handle, tensor.position, bytes, `${file.path}: ${name}`));
  } finally {
    closeSync(handle);
  }
}

/** A metadata value of the wanted kind. */
export function ggufValue(file: GgufFile, key: string, kind: 'number'): number;
export function ggufValue(file: GgufFile, key: string, kind: 'string'): string;
export function ggufValue(file: GgufFile, key: string, kind: 'strings'): string[];
export function ggufValue(file: GgufFile, key: string, kind: 'numbers'): number[];
export function ggufValue(file: GgufFile, key: string, kind: 'number' | 'string' | 'strings' | 'numbers'): unknown {
  const value = file.metadata.get(key);
  const element = kind === 'strings' ? 'string' : 'number';
  const fits = kind.endsWith('s')
    ? Array.isArray(value) && value.every((item) => typeof item === element)
    : typeof value === kind;
  if (fits) return value;
  const found = value === undefined ? 'it is missing' : Array.isArray(value) ? 'it is a list' : JSON.stringify(value);
  throw new UserError(`Cannot read ${file.path}: ${key} should be a ${kind}, but ${found}`);
}

/** A metadata number, or `fallback` where the file does not say. */
export function ggufNumberOr(file: GgufFile, key: string, fallback: number): number {
  return file.metadata.has(key) ? ggufValue(file, key, 'number') : fallback;
}

/** Bytes a tensor takes in the file, or undefined for types that are not read. */
function storedBytes(tensor: GgufTensor): number | undefined {
  const type = ggmlTypeOf(tensor.type);
  if (type === undefined) return undefined;
  return (tensor.shape.reduce((product, size) => product * size, 1) / type.blockValues) * type.blockBytes;
}
