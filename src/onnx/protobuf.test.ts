import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFields } from '../../test/onnx-reader.ts';
import { ProtobufWriter } from './protobuf.ts';

const hex = (writer: ProtobufWriter) => Buffer.from(writer.finish()).toString('hex');

describe('ProtobufWriter', () => {
  // The examples of https://protobuf.dev/programming-guides/encoding, and what follows from its rules.
  it.each([
    ['a number of two bytes', new ProtobufWriter().integer(1, 150), '089601'],
    ['zero', new ProtobufWriter().integer(1, 0), '0800'],
    ['a negative number, in ten bytes', new ProtobufWriter().integer(3, -2), '18feffffffffffffffff01'],
    ['a number beyond 2^53', new ProtobufWriter().integer(1, 2n ** 63n), '0880808080808080808001'],
    ['a string', new ProtobufWriter().string(2, 'testing'), '120774657374696e67'],
    ['a string beyond ASCII', new ProtobufWriter().string(1, 'é'), '0a02c3a9'],
    ['an empty string', new ProtobufWriter().string(1, ''), '0a00'],
    ['a nested message', new ProtobufWriter().message(3, new ProtobufWriter().integer(1, 150)), '1a03089601'],
    ['a float, little end first', new ProtobufWriter().float(2, 0.5), '150000003f'],
    ['a field number of two bytes', new ProtobufWriter().integer(20, 2), 'a00102'],
  ])('writes %s', (_what, writer, expected) => {
    expect(hex(writer)).toBe(expected);
  });

  it('writes fields one after another', () => {
    expect(hex(new ProtobufWriter().integer(1, 1).string(2, 'a').integer(1, 2))).toBe('0801' + '120161' + '0802');
  });

  it('refuses fractions where a whole number belongs', () => {
    expect(() => new ProtobufWriter().integer(1, 0.5)).toThrow(RangeError);
  });

  it('writes what a reader of the format reads back', () => {
    const number = fc.integer({ min: 1, max: 1000 });
    const field = fc.oneof(
      fc.tuple(number, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n })),
      fc.tuple(number, fc.uint8Array({ maxLength: 300 })),
    );
    fc.assert(
      fc.property(fc.array(field), (fields) => {
        const writer = new ProtobufWriter();
        for (const [key, value] of fields) {
          if (typeof value === 'bigint') writer.integer(key, value);
          else writer.bytes(key, value);
        }
        const read = readFields(writer.finish()).map(({ number: key, value }) => [key, value]);
        const expected = fields.map(([key, value]) => [
          key,
          typeof value === 'bigint' ? BigInt.asUintN(64, value) : value,
        ]);
        expect(read).toEqual(expected);
      }),
    );
  });
});
