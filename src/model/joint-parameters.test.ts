import { describe, expect, it } from 'vitest';
import type { Tensor } from '../graph/value.ts';
import { jointParameters } from './joint-parameters.ts';
import type { LinearGroup } from './linear.ts';

const GATE_UP: LinearGroup = {
  name: 'gateUp',
  inputs: 2,
  bias: true,
  parts: [
    { name: 'gate', outputs: 1 },
    { name: 'up', outputs: 2 },
  ],
};
const DOWN: LinearGroup = { name: 'down', inputs: 2, bias: false, parts: [{ name: 'down', outputs: 1 }] };

const floats = (shape: number[], ...values: number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: Float32Array.from(values),
});
const codes = (shape: number[], ...values: number[]): Tensor => ({
  dtype: 'int8',
  shape,
  data: Int8Array.from(values),
});

describe('jointParameters()', () => {
  it('puts f32 weights one below the other', () => {
    const parts = { 'gate.weight': floats([1, 2], 1, 2), 'up.weight': floats([2, 2], 3, 4, 5, 6) };
    expect(jointParameters([GATE_UP], parts)).toEqual({ 'gateUp.weight': floats([3, 2], 1, 2, 3, 4, 5, 6) });
  });

  it('puts int8 codes side by side, scales and biases in a row', () => {
    const parts = {
      'gate.int8': codes([2, 1], 1, 2),
      'up.int8': codes([2, 2], 3, 4, 5, 6),
      'gate.scale': floats([1], 0.1),
      'up.scale': floats([2], 0.2, 0.3),
      'gate.bias': floats([1], 7),
      'up.bias': floats([2], 8, 9),
    };
    expect(jointParameters([GATE_UP], parts)).toEqual({
      'gateUp.int8': codes([2, 3], 1, 3, 4, 2, 5, 6),
      'gateUp.scale': floats([3], 0.1, 0.2, 0.3),
      'gateUp.bias': floats([3], 7, 8, 9),
    });
  });

  it('puts the B of an adapter on a diagonal of blocks, and passes A on', () => {
    const a = floats([2, 4], 1, 2, 3, 4, 5, 6, 7, 8);
    const parts = { 'gateUp.A': a, 'gateUp.B.gate': floats([2, 1], 1, 2), 'gateUp.B.up': floats([2, 2], 3, 4, 5, 6) };
    expect(jointParameters([GATE_UP], parts)).toEqual({
      'gateUp.A': a,
      'gateUp.B': floats([4, 3], 1, 0, 0, 2, 0, 0, 0, 3, 4, 0, 5, 6),
    });
  });

  it('passes on what has one part, norms, and what is joint already', () => {
    const parameters = {
      norm1: floats([2], 1, 1),
      'down.int8': codes([2, 1], 1, 2),
      'down.B.down': floats([1, 1], 1),
      'gateUp.weight': floats([3, 2], 1, 2, 3, 4, 5, 6),
    };
    expect(jointParameters([GATE_UP, DOWN], parameters)).toEqual(parameters);
  });
});
