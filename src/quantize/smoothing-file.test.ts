import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Smoothing } from './smooth-quant.ts';
import { loadSmoothing, saveSmoothing } from './smoothing-file.ts';

it('loadSmoothing() gives the bits that saveSmoothing() was given, layer by layer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mga-smoothing-'));
  // More layers than ten: their names are not in the order of their numbers.
  const smoothing: Smoothing = Array.from({ length: 12 }, (_, layer) => ({
    qkv: Float32Array.of(layer, 1 / 3),
    gateUp: Float32Array.of(0.1, -layer),
  }));
  saveSmoothing(join(folder, 's.safetensors'), smoothing);
  expect(loadSmoothing(join(folder, 's.safetensors'))).toEqual(smoothing);
  rmSync(folder, { recursive: true });
});
