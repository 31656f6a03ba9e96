/** Lets int8 products go backward in f32, which the toolkit itself never does: an arm of the ablation. */

import type { VjpContext } from '../../src/graph/ops/op.ts';
import { OPS } from '../../src/graph/ops/table.ts';
import type { Tensor } from '../../src/graph/value.ts';
import type { RuntimeModel } from '../../src/model/runtime-model.ts';
import { transposed } from '../../src/model/transposed.ts';

export interface Float32Backward {
  /** The model with the values of its int8 weights beside them, in f32. */
  readonly model: RuntimeModel;
  /** Ends it. @throws Error where no graph was built with it, so that its figures are those of another arm */
  restore(): void;
}

/** From now on graphs that are built in this process have dX = dY W, W being what the int8 weights stand for. */
export function float32Backward(model: RuntimeModel): Float32Backward {
  const op = OPS.Int8MatMul as { vjp: (context: VjpContext) => unknown };
  const { vjp } = op;
  let used = 0;
  op.vjp = ({ g, inputs, grads }: VjpContext) => {
    used++;
    const [, w] = inputs;
    const { source, shape } = w!;
    if (source.kind !== 'input') throw new Error('internal: the int8 weight of a product is no input of its graph');
    const [k, n] = shape as [number, number];
    const wide = g.input(source.name.replace(/\.int8$/, WIDE), 'float32', [n, k]);
    return inputs.map((_, i) => (i === 0 ? g.op('MatMul', [grads[0]!, wide]) : null));
  };
  return {
    model: { ...model, layers: model.layers.map((layer) => ({ ...layer, ...wideWeights(layer) })) },
    restore() {
      op.vjp = vjp;
      if (used === 0) throw new Error('The ablation measured nothing: no graph was built in this process');
    },
  };
}

const WIDE = '.wide';

function wideWeights(layer: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const codes = Object.entries(layer).filter(([name]) => name.endsWith('.int8') && !name.endsWith('.back.int8'));
  return Object.fromEntries(
    codes.map(([name, { data, shape }]) => {
      const linear = name.slice(0, -'.int8'.length);
      const scale = layer[`${linear}.scale`]!.data as Float32Array;
      const [inputs, outputs] = shape as [number, number];
      const byInput = Float32Array.from(data as Int8Array, (code, i) => code * scale[i % outputs]!);
      const values = transposed(byInput, inputs, outputs);
      return [`${linear}${WIDE}`, { dtype: 'float32', shape: [outputs, inputs], data: values } satisfies Tensor];
    }),
  );
}
