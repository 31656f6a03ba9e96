/** What an op has to say about itself: types, derivative, and (for composites) the nodes it stands for. */

import type { Attributes, GraphBuilder, Node, Value } from '../graph.ts';
import type { TensorType } from '../value.ts';

export interface VjpContext {
  readonly g: GraphBuilder;
  readonly node: Node;
  readonly inputs: readonly Value[];
  readonly outputs: readonly Value[];
  /** Gradient of each output; null where nothing flows. */
  readonly grads: readonly (Value | null)[];
  /** Whether an input's gradient is wanted. */
  readonly needs: readonly boolean[];
}

export interface Op {
  /** Output types; throws TypeError with the reason where the inputs do not fit. */
  infer(inputs: readonly TensorType[], attributes: Attributes): TensorType[];
  /**
   * Vector-Jacobian product: for each input its gradient, or null for "none, on purpose". Builds nodes, computes nothing.
   * A gradient may keep broadcast dimensions: the sweep sums them out. Ops without `vjp` are forward only.
   */
  vjp?(context: VjpContext): (Value | null)[];
  /** For ops that ONNX does not have (for these types): the nodes that replace it on emission; null: emit it as it is. */
  lower?(g: GraphBuilder, inputs: readonly Value[], attributes: Attributes): readonly Value[] | null;
}

/** The gradient of the only output. */
export function onlyGrad({ grads }: VjpContext): Value {
  return grads[0]!;
}

export function check(condition: boolean, reason: string): asserts condition {
  if (!condition) throw new TypeError(reason);
}
