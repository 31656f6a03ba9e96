/** Logits and LoRA gradients of every family that transformers and PEFT recorded (eval/golden/record-families.py). */

import { describe, expect, it } from 'vitest';
import { gradientsOff, logitsOff, readRecorded, recordedWeights } from '../../test/recorded-families.ts';
import { FAMILY_NAMES } from '../model/families/families.ts';
import { parseHubConfig } from '../model/hub-config.ts';

const GOLDEN = 'test/golden/model';

/** Relative to the largest element of a tensor: f32 rounding over two layers. */
const TOLERANCE = 1e-4;

describe.each(FAMILY_NAMES)('%s', (family) => {
  it('has the logits of transformers', async () => {
    expect(await logitsOff(GOLDEN, family)).toBeLessThan(TOLERANCE);
  });

  it('has the loss and LoRA gradients of PEFT', async () => {
    const { loss, tensors, recordedTensors, gradients } = await gradientsOff(GOLDEN, family);
    expect(loss).toBeLessThan(TOLERANCE);
    expect(tensors).toBe(recordedTensors);
    expect(gradients.filter(({ distance }) => !(distance <= TOLERANCE))).toEqual([]);
  });

  it('has the config that transformers writes again', () => {
    const recorded = readRecorded(GOLDEN);
    const written = parseHubConfig(JSON.parse(recorded[family].written), 'config.json');
    expect(written).toEqual(recordedWeights(family, recorded).config);
  });
});
