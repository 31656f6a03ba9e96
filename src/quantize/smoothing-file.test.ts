import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Smoothing } from './smooth-quant.ts';
import { loadSmoothing, saveSmoothing, smoothingMadeFor } from './smoothing-file.ts';

it('loadSmoothing() gives the bits that saveSmoothing() was given, layer by layer', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mga-smoothing-'));
  // More layers than ten: their names are not in the order of their numbers.
  const smoothing: Smoothing = Array.from({ length: 12 }, (_, layer) => ({
    qkv: Float32Array.of(layer, 1 / 3),
    gateUp: Float32Array.of(0.1, -layer),
    // Not all are smoothed there.
    ...(layer === 3 ? {} : { down: Float32Array.of(layer, 0.3, 1) }),
  }));
  const path = join(folder, 's.safetensors');
  saveSmoothing(path, smoothing);
  expect(loadSmoothing(path)).toEqual(smoothing);
  rmSync(folder, { recursive: true });
});

it('smoothingMadeFor() tells the training that scales belong to', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mga-smoothing-'));
  const path = join(folder, 's.safetensors');
  expect(smoothingMadeFor(path)).toBeUndefined();
  saveSmoothing(path, [], 'abc');
  expect(smoothingMadeFor(path)).toBe('abc');
  saveSmoothing(path, []);
  expect(smoothingMadeFor(path)).toBeUndefined();
  rmSync(folder, { recursive: true });
});
