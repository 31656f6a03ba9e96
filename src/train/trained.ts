/** What a training changes: an adapter beside frozen weights, or all weights of the model. */

import type { EngineSettings } from '../engine/engine.ts';
import type { Tensor } from '../graph/value.ts';
import { type Adapter, adapterScale, createAdapter } from '../model/adapter.ts';
import { saveAdapter } from '../model/adapter-file.ts';
import { type AllWeights, allWeights, hubTensors } from '../model/all-weights.ts';
import type { RuntimeModel } from '../model/runtime-model.ts';
import { writeSafetensors } from '../model/safetensors.ts';
import type { TrainSettings } from '../recipe/schema.ts';

export type Trained = Adapter | AllWeights;

/** What training starts from. All weights are the model's own: they change with training. */
export function startOf(model: RuntimeModel, { method, lora }: TrainSettings, seed: number): Trained {
  return method === 'full' ? allWeights(model) : createAdapter(model.config, lora, seed);
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
