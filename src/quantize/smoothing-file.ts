/** Smoothing scales on disk: with them and the base's weights, the int8 model is made again exactly. */

import { existsSync } from 'node:fs';
import { readSafetensors, readSafetensorsHeader, type WritableTensor, writeSafetensors } from '../model/safetensors.ts';
import type { Smoothing } from './smooth-quant.ts';

/**
 * Tensors `<layer>.qkv` and `<layer>.gateUp`, `[hidden]` each.
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
  return Array.from({ length: tensors.size / 2 }, (_, layer) => ({
    qkv: tensors.get(`${layer}.qkv`)!.data,
    gateUp: tensors.get(`${layer}.gateUp`)!.data,
  }));
}

/** The training the scales in `path` were made for; undefined where there are none, or they were made after training. */
export function smoothingMadeFor(path: string): string | undefined {
  return existsSync(path) ? readSafetensorsHeader(path).metadata.made_for : undefined;
}
