/** Adapters on disk, by engine names (`<layer>.<group>.A`). The form other programs read is made by `mga export`. */

import { UserError } from '../foundation/errors.ts';
import { type Adapter, createAdapter } from './adapter.ts';
import type { ModelConfig } from './config.ts';
import { readSafetensors, readSafetensorsHeader, type WritableTensor, writeSafetensors } from './safetensors.ts';

/** Writes an adapter; rank and alpha go into the file's metadata. */
export function saveAdapter(path: string, { rank, alpha, layers }: Adapter): void {
  const tensors = new Map<string, WritableTensor>();
  for (const [layer, parameters] of layers.entries()) {
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      tensors.set(`${layer}.${name}`, { shape, data: data as Float32Array });
    }
  }
  writeSafetensors(path, tensors, { rank: String(rank), alpha: String(alpha) });
}

/** Reads an adapter for a model of this config. */
export function loadAdapter(path: string, config: ModelConfig): Adapter {
  const { metadata } = readSafetensorsHeader(path);
  const rank = Number(metadata.rank);
  const alpha = Number(metadata.alpha);
  if (!(rank > 0) || !(alpha > 0)) {
    throw new UserError(
      `Cannot read the adapter ${path}: its metadata has no rank and alpha`,
      'Train the student again',
    );
  }
  const tensors = readSafetensors(path);
  const adapter = createAdapter(config, { rank, alpha }, 0);
  for (const [layer, parameters] of adapter.layers.entries()) {
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      const stored = tensors.get(`${layer}.${name}`);
      if (!stored || stored.shape.join() !== shape.join()) {
        throw new UserError(
          `Cannot use the adapter ${path}: ${layer}.${name} is ${stored ? `[${stored.shape}]` : 'missing'}, the model asks for [${shape}]`,
          'It was trained on another model',
        );
      }
      (data as Float32Array).set(stored.data);
    }
  }
  return adapter;
}
