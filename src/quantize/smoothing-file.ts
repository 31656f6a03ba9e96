/** Smoothing scales on disk: with them and the base's weights, the int8 model is made again exactly. */

import { existsSync } from 'node:fs';
import { readSafetensors, readSafetensorsHeader, type WritableTensor, writeSafetensors } from '../model/safetensors.ts';
import type { LayerSmoothing, Smoothing } from './smooth-quant.ts';

/**
 * Tensors `<layer>.qkv` and `<layer>.gateUp`, `[hidden]` each, and `<layer>.down`, `[intermediate]`, where that is smoothed.
 *
 * @param madeFor identity of the training that goes through them, if one does
 */
export function saveSmoothing(path: string, smoothing: Smoothing, madeFor?: string): void {
  const tensors = new Map<string, WritableTensor>();
  for (const [layer, scales] of smoothing.entries()) {
    for (const [name, data] of Object.entries(scales)) tensors.set(`${layer}.${name}`, { shape: [data.length], data });
  }
  writeSafetensors(path, tensors, madeFor === undefined ? {} : { made_for: madeFor });
}

export function loadSmoothing(path: string): Smoothing {
  const tensors = readSafetensors(path);
  const layers: LayerSmoothing[] = [];
  for (let qkv = tensors.get('0.qkv'); qkv; qkv = tensors.get(`${layers.length}.qkv`)) {
    const down = tensors.get(`${layers.length}.down`)?.data;
    layers.push({
      qkv: qkv.data,
      gateUp: tensors.get(`${layers.length}.gateUp`)!.data,
      ...(down ? { down } : {}),
    });
  }
  return layers;
}

/** The training the scales in `path` were made for; undefined where there are none, or they were made after training. */
export function smoothingMadeFor(path: string): string | undefined {
  return existsSync(path) ? readSafetensorsHeader(path).metadata.made_for : undefined;
}
