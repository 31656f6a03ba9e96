/** Smoothing scales on disk: with them and the base's weights, the int8 model is made again exactly. */

import { readSafetensors, type WritableTensor, writeSafetensors } from '../model/safetensors.ts';
import type { Smoothing } from './smooth-quant.ts';

/** Tensors `<layer>.qkv` and `<layer>.gateUp`, `[hidden]` each. */
export function saveSmoothing(path: string, smoothing: Smoothing): void {
  const tensors = new Map<string, WritableTensor>();
  for (const [layer, scales] of smoothing.entries()) {
    for (const [name, data] of Object.entries(scales)) tensors.set(`${layer}.${name}`, { shape: [data.length], data });
  }
  writeSafetensors(path, tensors);
}

export function loadSmoothing(path: string): Smoothing {
  const tensors = readSafetensors(path);
  return Array.from({ length: tensors.size / 2 }, (_, layer) => ({
    qkv: tensors.get(`${layer}.qkv`)!.data,
    gateUp: tensors.get(`${layer}.gateUp`)!.data,
  }));
}
