/** Logits and LoRA gradients of every family that transformers and PEFT recorded (eval/golden/record-families.py). */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { engineLogits, largestDistance } from '../../test/engine-logits.ts';
import { asPeft } from '../../test/peft-tensors.ts';
import { tinyFamily } from '../../test/tiny-families.ts';
import { loraOf, lossAndGradients, tinyWeights } from '../../test/tiny-models.ts';
import { type Adapter, createAdapter } from '../model/adapter.ts';
import { LINEAR_NAMES, type LinearName, type ModelWeights } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { FAMILY_NAMES } from '../model/families/families.ts';
import { parseHubConfig, toHubConfig } from '../model/hub-config.ts';
import { f32Model } from '../model/runtime-model.ts';
import { readSafetensors } from '../model/safetensors.ts';
import { Engine } from './engine.ts';
import { packSequences } from './pack.ts';

interface Recorded {
  readonly loss: number;
  readonly written: string;
}
const recorded = JSON.parse(readFileSync('test/golden/model/families.json', 'utf8')) as Record<
  (typeof FAMILY_NAMES)[number],
  Recorded
> & { rank: number; alpha: number; prompt: number; tokens: number[]; llama3: object };
const { rank, alpha, tokens, prompt } = recorded;

/** Relative to the largest element of a tensor: f32 rounding over two layers. */
const TOLERANCE = 1e-4;

/** The recorded model; Llama's with the rotary scaling of Llama 3. */
function recordedWeights(family: (typeof FAMILY_NAMES)[number]): ModelWeights {
  const { config, tensors } = tinyWeights(tinyFamily(family));
  if (family !== 'llama') return { config, tensors };
  return { config: parseHubConfig({ ...toHubConfig(config), rope_scaling: recorded.llama3 }, 'llama'), tensors };
}

/** Parameters by the formula in families.json. */
function recordedAdapter({ config }: ModelWeights): Adapter {
  const adapter = createAdapter(config, { rank, alpha }, 0);
  const names = Object.keys(LINEAR_NAMES) as LinearName[];
  for (const [layer, tensors] of adapter.layers.entries()) {
    for (const { name, inputs, parts } of Object.values(linearGroups(config))) {
      for (const [index, part] of parts.entries()) {
        const t = 7 * layer + names.indexOf(part.name);
        const value = (i: number, columns: number) => (((i * 37 + t * 11) % 101) - 50) / (50 * Math.sqrt(columns));
        const a = tensors[`${name}.A`]!.data;
        const b = tensors[`${name}.B.${part.name}`]!.data;
        for (let r = 0; r < rank; r++) {
          for (let j = 0; j < inputs; j++)
            a[j * rank * parts.length + index * rank + r] = value(r * inputs + j, inputs);
          for (let j = 0; j < part.outputs; j++) b[r * part.outputs + j] = value(j * rank + r, rank);
        }
      }
    }
  }
  return adapter;
}

const largest = (values: ArrayLike<number>) => largestDistance(values, new Float32Array(values.length));

describe.each(FAMILY_NAMES)('%s', (family) => {
  const weights = recordedWeights(family);
  const golden = readSafetensors(`test/golden/model/family-${family}.safetensors`);

  it('has the logits of transformers', async () => {
    const { logits } = await engineLogits(f32Model(weights), tokens);
    const expected = golden.get('logits')!.data;
    const found = logits.flatMap((row) => [...row]);
    expect(largestDistance(found, expected)).toBeLessThan(TOLERANCE * largest(expected));
  });

  it('has the loss and LoRA gradients of PEFT', async () => {
    const adapter = recordedAdapter(weights);
    const engine = new Engine(f32Model(weights), { lora: loraOf(adapter), threads: 1 });
    const packed = packSequences([{ tokens, labelsFrom: prompt }]);
    const { loss, grads } = await lossAndGradients(engine, packed, adapter.layers);
    await engine.release();
    expect(Math.abs(loss - recorded[family].loss)).toBeLessThan(TOLERANCE);
    const found = asPeft(weights.config, rank, grads);
    const off = Array.from(golden, ([name, { data }]) => ({ name, data })).flatMap(({ name, data }) => {
      if (name === 'logits') return [];
      const distance = largestDistance(found.get(name)!.data, data) / largest(data);
      return distance <= TOLERANCE ? [] : [{ name, distance }];
    });
    expect(found.size).toBe(golden.size - 1);
    expect(off).toEqual([]);
  });

  it('has the config that transformers writes again', () => {
    const written = parseHubConfig(JSON.parse(recorded[family].written), 'config.json');
    expect(written).toEqual(weights.config);
  });
});
