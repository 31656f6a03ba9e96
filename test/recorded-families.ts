/** What transformers and PEFT recorded of the tiny model of each family (eval/golden/record-families.py), and how far we are off. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Engine } from '../src/engine/engine.ts';
import { packSequences } from '../src/engine/pack.ts';
import { type Adapter, createAdapter } from '../src/model/adapter.ts';
import { type FamilyName, LINEAR_NAMES, type LinearName, type ModelWeights } from '../src/model/config.ts';
import { linearGroups } from '../src/model/decoder-layer.ts';
import { parseHubConfig, toHubConfig } from '../src/model/hub-config.ts';
import { f32Model } from '../src/model/runtime-model.ts';
import { readSafetensors } from '../src/model/safetensors.ts';
import { engineLogits, largestDistance } from './engine-logits.ts';
import { asPeft } from './peft-tensors.ts';
import { tinyFamily } from './tiny-families.ts';
import { loraOf, lossAndGradients, tinyWeights } from './tiny-models.ts';

interface Recorded {
  readonly sha256: string;
  readonly loss: number;
  readonly written: string;
}

export type RecordedFamilies = Readonly<Record<FamilyName, Recorded>> & {
  readonly rank: number;
  readonly alpha: number;
  readonly prompt: number;
  readonly tokens: readonly number[];
  readonly llama3: object;
};

/** families.json of a folder of recordings. */
export function readRecorded(folder: string): RecordedFamilies {
  return JSON.parse(readFileSync(join(folder, 'families.json'), 'utf8')) as RecordedFamilies;
}

/** The recorded model; Llama's with the rotary scaling of Llama 3. */
export function recordedWeights(family: FamilyName, { llama3 }: RecordedFamilies): ModelWeights {
  const { config, tensors } = tinyWeights(tinyFamily(family));
  if (family !== 'llama') return { config, tensors };
  return { config: parseHubConfig({ ...toHubConfig(config), rope_scaling: llama3 }, 'llama'), tensors };
}

/** How far our logits are from the recorded ones, relative to the largest. */
export async function logitsOff(folder: string, family: FamilyName): Promise<number> {
  const recorded = readRecorded(folder);
  const { logits } = await engineLogits(f32Model(recordedWeights(family, recorded)), recorded.tokens);
  const expected = recordedTensors(folder, family).get('logits')!.data;
  return relative(
    logits.flatMap((row) => [...row]),
    expected,
  );
}

/** How far loss and LoRA gradients are off; a tensor's distance is relative to its largest element. */
export async function gradientsOff(folder: string, family: FamilyName) {
  const recorded = readRecorded(folder);
  const weights = recordedWeights(family, recorded);
  const adapter = recordedAdapter(weights, recorded);
  const engine = new Engine(f32Model(weights), { lora: loraOf(adapter), threads: 1 });
  const packed = packSequences([{ tokens: recorded.tokens, labelsFrom: recorded.prompt }]);
  const { loss, grads } = await lossAndGradients(engine, packed, adapter.layers);
  await engine.release();
  const found = asPeft(weights.config, recorded.rank, grads);
  const expected = recordedTensors(folder, family);
  expected.delete('logits');
  return {
    loss: Math.abs(loss - recorded[family].loss),
    tensors: found.size,
    recordedTensors: expected.size,
    gradients: Array.from(expected, ([name, { data }]) => ({ name, distance: relative(found.get(name)!.data, data) })),
  };
}

const recordedTensors = (folder: string, family: FamilyName) =>
  readSafetensors(join(folder, `family-${family}.safetensors`));

function relative(found: ArrayLike<number>, expected: ArrayLike<number>): number {
  return largestDistance(found, expected) / largestDistance(expected, new Float32Array(expected.length));
}

/** Parameters by the formula in families.json. */
function recordedAdapter({ config }: ModelWeights, { rank, alpha }: RecordedFamilies): Adapter {
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
