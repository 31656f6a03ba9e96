/** A tiny student with a trained-looking adapter, and the engine's own answers to compare an export with. */

import { join } from 'node:path';
import { Engine } from '../src/engine/engine.ts';
import { packSequences } from '../src/engine/pack.ts';
import { randomStream } from '../src/foundation/random.ts';
import { type Adapter, createAdapter } from '../src/model/adapter.ts';
import type { ModelConfig } from '../src/model/config.ts';
import { logitsGraph } from '../src/model/layer-graphs.ts';
import { loadModel } from '../src/model/load.ts';
import { type TinySettings, writeTinyModel } from '../src/model/tiny.ts';
import { calibrate } from '../src/quantize/calibrate.ts';
import type { AdaptedModel, Student } from '../src/quantize/student-model.ts';
import { recipeSchema } from '../src/recipe/schema.ts';

/** Words of bytes with a beginning of their own each, so that rows of a batch differ in length and content. */
export const PROMPTS = ['A duck.', 'Document:\nBread rises in the warmth.\n\nRewrite it for bakers.', '17 + 25 = '];

/** With this one no greedy choice of the tests is close (0.12 in logits), so that rounding on another CPU changes none. */
const SEED = 26;

const RECIPE = {
  name: 'tiny',
  corpus: { path: 'none' },
  teacher: { kind: 'recorded', folder: 'none' },
  students: [{ name: 'writer', stages: ['reformulate'] }],
} as const;

/** The smallest recipe, with the given sections. */
export const recipeWith = (sections: object) => recipeSchema.parse({ ...RECIPE, ...sections });

/** An adapter whose products are of the size of the base's. */
export function randomAdapter(config: ModelConfig, seed = 7): Adapter {
  const adapter = createAdapter(config, { rank: 4, alpha: 8 }, seed);
  for (const [layer, parameters] of adapter.layers.entries()) {
    for (const [name, { data }] of Object.entries(parameters)) {
      if (name.endsWith('.A')) continue;
      const random = randomStream(seed, layer, name);
      for (let i = 0; i < data.length; i++) data[i] = (random.uniform() - 0.5) * 0.5;
    }
  }
  return adapter;
}

export type AdapterStudent = Student & { readonly adapter: Adapter };

/** Writes the base below `root`; the student is calibrated, so that its smoothing scales are no ones. */
export async function tinyStudent(root: string, tiny: Partial<TinySettings> = {}): Promise<AdapterStudent> {
  const modelFolder = join(root, 'base');
  const config = writeTinyModel(modelFolder, { seed: SEED, ...tiny });
  const weights = loadModel(modelFolder);
  const tokens = Array.from({ length: 64 }, (_, i) => (i * i * 7 + 32) % 256);
  const smoothing = await calibrate(weights, [{ tokens, labelsFrom: 32 }], { smoothing: 0.5 });
  const { train: settings } = recipeWith({ train: { model: modelFolder } });
  const adapter = randomAdapter(config);
  return { name: 'writer', settings, weights, modelFolder, sha256: 'f00d', adapter, smoothing };
}

/** The engine's logits `[tokens, vocabulary]`. */
export async function engineLogits({ model, adapter }: AdaptedModel, tokens: readonly number[]): Promise<Float32Array> {
  const { hiddenSize, vocabSize } = model.config;
  const engine = new Engine(model, adapter ? { lora: adapter } : {});
  const packed = packSequences([{ tokens, labelsFrom: tokens.length }]);
  const { hidden } = await engine.forward(packed, adapter?.layers ?? [], false);
  const { logits } = await engine.lanes.here.run(
    `logits ${packed.rows}`,
    () => logitsGraph(model.config, packed.rows),
    {
      h: { dtype: 'float32', shape: [packed.rows, hiddenSize], data: hidden },
      head: model.head,
      normFinal: model.normFinal,
    },
  );
  await engine.release();
  return (logits!.data as Float32Array).slice(0, tokens.length * vocabSize);
}

/** How far each token of `tokens` from `from` on lies below the engine's best one, in logits: 0 where it is greedy. */
export async function greedyGaps(model: AdaptedModel, tokens: readonly number[], from: number): Promise<number[]> {
  const { vocabSize } = model.model.config;
  const logits = await engineLogits(model, tokens);
  return tokens.slice(from).map((token, i) => {
    const row = logits.subarray((from + i - 1) * vocabSize, (from + i) * vocabSize);
    return Math.max(...row) - row[token]!;
  });
}
