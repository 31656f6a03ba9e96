/**
 * Logits and LoRA gradients of a tiny random model of every family, by transformers and PEFT as they are installed here, and ours.
 * The script is the one that writes the golden files of `npm test` (src/engine/golden-families.test.ts).
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileSha256 } from '../../src/foundation/hash.ts';
import { FAMILY_NAMES } from '../../src/model/families/families.ts';
import { writeTinyModel } from '../../src/model/tiny.ts';
import { gradientsOff, logitsOff, readRecorded } from '../recorded-families.ts';
import { tinyFamily } from '../tiny-families.ts';
import { runPython } from './python.ts';

const temporary = mkdtempSync(join(tmpdir(), 'mga-families-'));
const models = join(temporary, 'models');
const recorded = join(temporary, 'recorded');
afterAll(() => rmSync(temporary, { recursive: true }));

/** Relative to the largest element of a tensor: f32 rounding over two layers. */
const TOLERANCE = 1e-4;

beforeAll(() => {
  for (const family of FAMILY_NAMES) writeTinyModel(join(models, family), tinyFamily(family));
  runPython('eval/golden/record-families.py', '--tiny', models, '--out', recorded);
});

describe.each(FAMILY_NAMES)('%s', (family) => {
  it('is the model that Python read', async () => {
    expect(readRecorded(recorded)[family].sha256).toBe(await fileSha256(join(models, family, 'model.safetensors')));
  });

  it('has the logits of transformers', async () => {
    expect(await logitsOff(recorded, family)).toBeLessThan(TOLERANCE);
  });

  it('has the loss and LoRA gradients of PEFT', async () => {
    const { loss, tensors, recordedTensors, gradients } = await gradientsOff(recorded, family);
    expect(loss).toBeLessThan(TOLERANCE);
    expect(tensors).toBe(recordedTensors);
    expect(gradients.filter(({ distance }) => !(distance <= TOLERANCE))).toEqual([]);
  });
});
