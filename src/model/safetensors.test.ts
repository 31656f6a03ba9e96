import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { halfTable } from './float16.ts';
import { readSafetensors, readSafetensorsHeader, type WritableTensor, writeSafetensors } from './safetensors.ts';
import { parseSafetensorsHeader } from './safetensors-header.ts';

const folder = mkdtempSync(join(tmpdir(), 'mga-safetensors-'));
const path = join(folder, 'x.safetensors');
afterAll(() => rmSync(folder, { recursive: true }));

/** A file of this header and data, without the checks of the writer. */
function writeRaw(header: unknown, data: Uint8Array): void {
  const json = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, data]));
}

test('readSafetensors() reads what writeSafetensors() wrote', () => {
  const tensors = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => name !== '__metadata__' && name !== '__proto__'),
    fc.float32Array({ maxLength: 20, noNaN: true }),
  );
  fc.assert(
    fc.property(tensors, (values) => {
      const entries = Object.entries(values);
      writeSafetensors(path, new Map(entries.map(([name, data]) => [name, { shape: [data.length], data }])));
      const read = readSafetensors(path);
      expect(read.size).toBe(entries.length);
      for (const [name, data] of entries) expect(read.get(name)).toEqual({ shape: [data.length], data });
    }),
    { numRuns: 50 },
  );
});

test('writeSafetensors() gives equal bytes for equal tensors in any order, wide types first, data at a multiple of 8', () => {
  const tensors: [string, WritableTensor][] = [
    ['b', { shape: [3], data: Int8Array.of(1, 2, 3) }],
    ['a', { shape: [1, 2], dtype: 'F32', read: () => Float32Array.of(1, 2) }],
    ['c', { shape: [1], data: BigInt64Array.of(7n) }],
  ];
  writeSafetensors(path, new Map(tensors));
  const bytes = readFileSync(path);
  writeSafetensors(path, new Map(tensors.reverse()));
  expect(readFileSync(path).equals(bytes)).toBe(true);
  const header = readSafetensorsHeader(path);
  expect([...header.entries.values()].map((entry) => entry.begin)).toEqual([0, 8, 16]);
  expect([...header.entries.keys()]).toEqual(['c', 'a', 'b']);
  expect(header.metadata).toEqual({ format: 'pt' });
  expect(Number(bytes.readBigUInt64LE()) % 8).toBe(0);
});

test('writeSafetensors() leaves the old file where a tensor does not fit its shape', () => {
  writeSafetensors(path, new Map([['a', { shape: [1], data: Float32Array.of(5) }]]));
  const wrong = new Map([['a', { shape: [2], dtype: 'F32' as const, read: () => Float32Array.of(1) }]]);
  expect(() => writeSafetensors(path, wrong)).toThrow('needs 8 bytes, got 4');
  expect(readSafetensors(path).get('a')!.data[0]).toBe(5);
});

test('readSafetensors() widens F16 and BF16 exactly', () => {
  const data = Buffer.alloc(12);
  for (const [i, bits] of [0x3c00, 0xc000, 0x0001, 0x3f80, 0xc040, 0x0001].entries()) data.writeUInt16LE(bits, i * 2);
  writeRaw(
    { h: { dtype: 'F16', shape: [3], data_offsets: [0, 6] }, b: { dtype: 'BF16', shape: [3], data_offsets: [6, 12] } },
    data,
  );
  const read = readSafetensors(path);
  expect([...read.get('h')!.data]).toEqual([1, -2, 2 ** -24]);
  expect([...read.get('b')!.data]).toEqual([1, -3, Math.fround(2 ** -133)]);
});

test('halfTable() is exact at the edges', () => {
  const half = halfTable();
  expect([half[0x7bff], half[0x0400], half[0x03ff], half[0x7c00]]).toEqual([
    65504,
    2 ** -14,
    1023 * 2 ** -24,
    Infinity,
  ]);
  expect(Object.is(half[0x8000], -0)).toBe(true);
  expect(half[0x7e00]).toBeNaN();
});

const one = { dtype: 'F32', shape: [1], data_offsets: [0, 4] };
test.each([
  ['a hole', { a: { ...one, data_offsets: [4, 8] } }, 8, 'tensor a begins at byte 4 instead of 0'],
  ['an overlap', { a: one, b: one }, 4, 'tensor b begins at byte 0 instead of 4'],
  ['missing data', { a: one }, 3, 'its tensors take 4 bytes, but 3 follow'],
  ['extra data', { a: one }, 5, 'its tensors take 4 bytes, but 5 follow'],
  ['a size that is not the shape', { a: { ...one, shape: [2] } }, 4, 'needs 8 bytes, its data_offsets span 4'],
  ['a negative size', { a: { ...one, shape: [-1] } }, 4, 'has shape [-1]'],
  ['an unknown type', { a: { ...one, dtype: 'F8_E4M3' } }, 4, 'has dtype "F8_E4M3"'],
  ['no offsets', { a: { dtype: 'F32', shape: [1] } }, 4, 'has data_offsets undefined'],
  ['metadata that is not text', { __metadata__: { a: 1 }, a: one }, 4, '__metadata__ is not a map of texts'],
  ['a list', [], 0, 'not a JSON object'],
])('parseSafetensorsHeader() refuses %s', (_what, header, dataBytes, message) => {
  expect(() => parseSafetensorsHeader(JSON.stringify(header), dataBytes, 'x')).toThrow(message);
});

test('parseSafetensorsHeader() answers any text with a header or a UserError', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.nat(100), (text, size) => {
      try {
        parseSafetensorsHeader(text, size, 'x');
      } catch (error) {
        expect((error as Error).name).toBe('UserError');
      }
    }),
  );
});

test('readSafetensors() tells of files that are cut off, too short, not safetensors, or without the tensor', () => {
  writeSafetensors(path, new Map([['a', { shape: [4], data: new Float32Array(4) }]]));
  expect(() => readSafetensors(path, ['z'])).toThrow('it has no tensor z');
  truncateSync(path, readFileSync(path).length - 1);
  expect(() => readSafetensors(path)).toThrow('its tensors take 16 bytes, but 15 follow');
  writeFileSync(path, 'PK');
  expect(() => readSafetensors(path)).toThrow('2 bytes are too few');
  writeFileSync(path, Buffer.from('80025d7100580a00000061', 'hex'));
  expect(() => readSafetensors(path)).toThrow('a header of');
  writeRaw('{', new Uint8Array());
  expect(() => readSafetensors(path)).toThrow('its header is not JSON');
  expect(() => readSafetensors(join(folder, 'none'))).toThrow('no such file');
});
