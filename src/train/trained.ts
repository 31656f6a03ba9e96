/** What a training changes: an adapter beside frozen weights, or all weights of the model. */

import type { EngineSettings } from '../engine/engine.ts';
import type { Tensor } from '../graph/value.ts';
import { type Adapter, adapterScale, createAdapter } from '../model/adapter.ts';
import { saveAdapter } from '../model/adapter-file.ts';
import { type AllWeights, allWeights, hubTensors } from '../model/all-weights.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import { writeSafetensors } from '../model/safetensors.ts';
import type { Smoothing } from '../quantize/smooth-quant.ts';
import { scaleAdapter } from '../quantize/student-model.ts';
import type { TrainSettings } from '../recipe/schema.ts';
import type { Units } from './step.ts';

export type Trained = Adapter | AllWeights;

/** What training starts from. All weights are the model's own: they change with training. */
export function startOf(model: RuntimeModel, { method, lora }: TrainSettings, seed: number): Trained {
  return method === 'full' ? allWeights(model) : createAdapter(model.config, lora, seed);
}

/**
 * The units in which the adapter beside a smoothed base holds the plain base's, A s and B / s (scaleAdapter): with them it is
 * trained as the adapter of the plain base would be, whatever the smoothing. Without them a learning rate would mean as
 * many times more in a channel as that is scaled.
 */
export function adapterUnits(adapter: Adapter, smoothing: Smoothing): Units {
  const ones = adapter.layers.map((layer) =>
    Object.fromEntries(
      Object.entries(layer).map(([name, { dtype, shape, data }]) => [
        name,
        { dtype, shape, data: new Float32Array(data.length).fill(1) },
      ]),
    ),
  );
  return scaleAdapter({ ...adapter, layers: ones }, smoothing, 'smooth').layers.map((layer) =>
    Object.fromEntries(
      Object.entries(layer).flatMap(([name, { data }]) =>
        (data as Float32Array).every((unit) => unit === 1) ? [] : [[name, data as Float32Array]],
      ),
    ),
  );
}

/** The parameters by graph input: one record a layer, and with all weights one more for what lies outside the layers. */
export function partsOf(trained: Trained): readonly Readonly<Record<string, Tensor>>[] {
  return 'outer' in trained ? [...trained.layers, trained.outer] : trained.layers;
}

/** How many parameters are trained. */
export function trainedSize(trained: Trained): number {
  return partsOf(trained).reduce((n, part) => Object.values(part).reduce((sum, { data }) => sum + data.length, n), 0);
}

/** What the engine is to know of it. */
export function engineSettings(trained: Trained): Pick<EngineSettings, 'lora' | 'full'> {
  return 'outer' in trained ? { full: true } : { lora: { rank: trained.rank, scale: adapterScale(trained) } };
}

/** Name of its file in the student's folder. */
export function trainedFile(trained: Trained): string {
  return 'outer' in trained ? 'model.safetensors' : 'adapter.safetensors';
}

/** Writes the trained student: the adapter, or all weights as the hub stores them. */
export function saveTrained(path: string, trained: Trained): void {
  if ('outer' in trained) writeSafetensors(path, hubTensors(trained.model));
  else saveAdapter(path, trained);
}
