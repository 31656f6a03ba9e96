/** The model on the W8A8 grid, with what a backward pass reads. */

import type { Tensor } from '../graph/value.ts';
import type { ModelWeights } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { partWeight, type RuntimeModel } from '../model/runtime-model.ts';
import { transposed } from '../model/transposed.ts';
import { quantizeWeight } from './int8.ts';
import { quantizedModel, type Smoothing } from './smooth-quant.ts';

/**
 * quantizedModel() and, for the way back (Int8MatMul), each weight rounded once more from f32, with a scale for each input
 * channel instead of each output channel. A channel's smoothing is then a factor of its scale alone, so that dX is as exact
 * beside a smoothed base as beside the plain one. What smooths the outputs of `up` is taken off their gradient first.
 *
 *   of the plain weight W:  back = round(W / b), b_i = max_j |W_ji| / 127, backScale_i = s_i b_i, units_j = 1 / s_j of down.
 */
export function trainableModel(weights: ModelWeights, smoothing: Smoothing): RuntimeModel {
  const model = quantizedModel(weights, smoothing);
  const groups = Object.values(linearGroups(model.config));
  const layers = model.layers.map((tensors, layer) => {
    const back: Record<string, Tensor> = {};
    for (const group of groups) {
      const { inputs } = group;
      const scales = group.name === 'o' ? undefined : smoothing[layer]![group.name];
      for (const part of group.parts) {
        const { name, outputs } = part;
        const byInput = transposed(partWeight(weights, layer, group, part), outputs, inputs);
        const { codes, scale } = quantizeWeight(byInput, inputs, outputs);
        back[`${name}.back.int8`] = {
          dtype: 'int8',
          shape: [outputs, inputs],
          data: transposed(codes, inputs, outputs),
        };
        back[`${name}.back.scale`] = vector(scales ? scale.map((step, i) => step * scales[i]!) : scale);
      }
    }
    const { down } = smoothing[layer]!;
    const { intermediateSize } = model.config;
    back['up.back.units'] = vector(Float32Array.from({ length: intermediateSize }, (_, j) => 1 / (down?.[j] ?? 1)));
    return { ...tensors, ...back };
  });
  return { ...model, layers };
}

const vector = (data: Float32Array): Tensor => ({ dtype: 'float32', shape: [data.length], data });
