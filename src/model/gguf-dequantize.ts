/** ggml's storage types as f32 (ggml-quants.c: dequantize_row_*). */

import { bfloat16ToFloat32, float16ToFloat32, halfTable } from './float16.ts';

interface GgmlType {
  readonly name: string;
  /** Values that share a scale, and the bytes they take together. */
  readonly blockValues: number;
  readonly blockBytes: number;
  readonly decode: (bytes: Uint8Array<ArrayBuffer>) => Float32Array;
}

const TYPES: ReadonlyMap<number, GgmlType> = new Map([
  [0, { name: 'F32', blockValues: 1, blockBytes: 4, decode: (bytes) => new Float32Array(bytes.buffer) }],
  [
    1,
    { name: 'F16', blockValues: 1, blockBytes: 2, decode: (bytes) => float16ToFloat32(new Uint16Array(bytes.buffer)) },
  ],
  [3, { name: 'Q4_1', blockValues: 32, blockBytes: 20, decode: decodeQ4_1 }],
  [8, { name: 'Q8_0', blockValues: 32, blockBytes: 34, decode: decodeQ8_0 }],
  [
    30,
    {
      name: 'BF16',
      blockValues: 1,
      blockBytes: 2,
      decode: (bytes) => bfloat16ToFloat32(new Uint16Array(bytes.buffer)),
    },
  ],
]);

/** The storage type of a ggml type number; undefined where it is not read. */
export function ggmlTypeOf(type: number): GgmlType | undefined {
  return TYPES.get(type);
}

/**
 * Decodes stored values to f32.
 *
 * @param bytes whole blocks, owning their buffer from byte 0
 */
export function dequantize(type: number, bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const known = TYPES.get(type);
  if (known === undefined) throw new Error(`Cannot dequantize ggml type ${type}`);
  if (bytes.length % known.blockBytes !== 0) {
    throw new Error(
      `Cannot dequantize ${bytes.length} bytes of ${known.name}: not whole blocks of ${known.blockBytes}`,
    );
  }
  return known.decode(bytes);
}

/** Block: f16 scale d, f16 minimum m, 16 bytes of nibbles (low ones are values 0..15, high ones 16..31); x = d q + m. */
function decodeQ4_1(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const half = halfTable();
  const out = new Float32Array((bytes.length / 20) * 32);
  for (let at = 0, to = 0; at < bytes.length; at += 20, to += 32) {
    const scale = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    const minimum = half[bytes[at + 2]! | (bytes[at + 3]! << 8)]!;
    for (let i = 0; i < 16; i++) {
      const pair = bytes[at + 4 + i]!;
      out[to + i] = (pair & 15) * scale + minimum;
      out[to + 16 + i] = (pair >> 4) * scale + minimum;
    }
  }
  return out;
}

/** Block: f16 scale d, 32 signed bytes q; x = d q. */
function decodeQ8_0(bytes: Uint8Array<ArrayBuffer>): Float32Array {
  const half = halfTable();
  const signed = new Int8Array(bytes.buffer);
  const out = new Float32Array((bytes.length / 34) * 32);
  for (let at = 0, to = 0; at < bytes.length; at += 34, to += 32) {
    const scale = half[bytes[at]! | (bytes[at + 1]! << 8)]!;
    for (let i = 0; i < 32; i++) out[to + i] = signed[at + 2 + i]! * scale;
  }
  return out;
}
