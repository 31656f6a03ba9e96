/** A layer's linears laid out for joint products (LinearSettings): for what only goes forward, with few rows. */

import type { Tensor, TypedArray } from '../graph/value.ts';
import { type LinearGroup, outputsOf } from './linear.ts';

/**
 * A layer's weights, its adapter, or both, as graphs with `joint` read them: of each group of several parts
 * `<group>.weight`, `<group>.int8`, `<group>.scale`, `<group>.bias` and `<group>.B` in the place of the parts' own, as far
 * as there are any. The parts' outputs lie side by side; B `[rank * parts, outputs]` is zero off its diagonal of blocks.
 * Everything else, joint tensors too, is passed on as it is.
 */
export function jointParameters(
  groups: readonly LinearGroup[],
  parameters: Readonly<Record<string, Tensor>>,
): Record<string, Tensor> {
  const joint: Record<string, Tensor> = { ...parameters };
  for (const group of groups) {
    const { name, inputs, parts } = group;
    if (parts.length === 1) continue;
    const outputs = outputsOf(group);
    const take = (keys: readonly string[]): Tensor[] => {
      const tensors = keys.flatMap((key) => parameters[key] ?? []);
      for (const key of keys) delete joint[key];
      return tensors;
    };
    const of = (kind: string) => take(parts.map((part) => `${part.name}.${kind}`));
    const shapes = { weight: [outputs, inputs], scale: [outputs], bias: [outputs] };
    for (const [kind, shape] of Object.entries(shapes)) {
      const tensors = of(kind);
      if (tensors.length > 0) joint[`${name}.${kind}`] = inOrder(tensors, shape);
    }
    const codes = of('int8');
    if (codes.length > 0) joint[`${name}.int8`] = sideBySide(codes, [inputs, outputs], () => 0);
    const b = take(parts.map((part) => `${name}.B.${part.name}`));
    const rank = b[0]?.shape[0] ?? 0;
    if (b.length > 0) joint[`${name}.B`] = sideBySide(b, [rank * parts.length, outputs], (part) => part * rank);
  }
  return joint;
}

/** All values of one tensor after those of another. */
function inOrder(tensors: readonly Tensor[], shape: readonly number[]): Tensor {
  const { dtype } = tensors[0]!;
  const data = zerosLike(tensors[0]!, shape);
  let offset = 0;
  for (const part of tensors) {
    data.set(part.data as Float32Array, offset);
    offset += part.data.length;
  }
  return { dtype, shape, data };
}

/** Matrices with their columns side by side, each from the row `top` says, in a matrix of that shape. */
function sideBySide(
  matrices: readonly Tensor[],
  shape: readonly [rows: number, columns: number],
  top: (matrix: number) => number,
): Tensor {
  const { dtype } = matrices[0]!;
  const data = zerosLike(matrices[0]!, shape);
  let left = 0;
  for (const [i, matrix] of matrices.entries()) {
    const [rows, columns] = matrix.shape as [number, number];
    for (let row = 0; row < rows; row++) {
      const from = (matrix.data as Float32Array).subarray(row * columns, (row + 1) * columns);
      data.set(from, (top(i) + row) * shape[1] + left);
    }
    left += columns;
  }
  return { dtype, shape, data };
}

/** Zeros of a tensor's type. Parts of a group have the same one. */
function zerosLike({ data }: Tensor, shape: readonly number[]): Float32Array {
  const length = shape.reduce((product, size) => product * size, 1);
  return new (data.constructor as new (length: number) => TypedArray)(length) as Float32Array;
}
