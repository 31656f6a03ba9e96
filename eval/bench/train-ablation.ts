/**
 * Seconds and loss of one step in each form of the engine, in a process of its own: `train-ablation.ts MODEL SFT SAMPLES`.
 * Each form has what the one before has, and one lever more.
 */

import { readSftJsonl } from '../../src/curate/sft-jsonl.ts';
import { Engine } from '../../src/engine/engine.ts';
import { tokenizeRows } from '../../src/engine/token-samples.ts';
import { adapterScale, createAdapter } from '../../src/model/adapter.ts';
import { loadModel } from '../../src/model/load.ts';
import { resolveModel } from '../../src/model/resolve.ts';
import { f32Model } from '../../src/model/runtime-model.ts';
import { loadTokenizer } from '../../src/model/tokenizer.ts';
import { calibrate } from '../../src/quantize/calibrate.ts';
import { trainableModel } from '../../src/quantize/trainable-model.ts';
import { recipeSchema } from '../../src/recipe/schema.ts';
import { batchGradient } from '../../src/train/step.ts';
import { type Float32Backward, float32Backward } from './float32-backward.ts';

const [model = '', sft = '', count = '6'] = process.argv.slice(2);
const { folder } = await resolveModel(model, { emit: () => {} });
const { samples } = tokenizeRows(readSftJsonl(sft), await loadTokenizer(folder), 8192);
const batch = samples.slice(0, Number(count));
const tokens = batch.reduce((n, sample) => n + sample.tokens.length, 0);
const weights = loadModel(folder);
const adapter = createAdapter(weights.config, { rank: 16, alpha: 32 }, 0);

interface Arm {
  readonly arm: string;
  readonly precision: 'f32' | 'w8a8';
  readonly share: boolean;
  readonly backward: 'f32' | 'int8';
}

const arms: readonly Arm[] = [
  { arm: 'f32, separate rows', precision: 'f32', share: false, backward: 'f32' },
  { arm: '+ shared prefixes', precision: 'f32', share: true, backward: 'f32' },
  { arm: '+ int8 forward', precision: 'w8a8', share: true, backward: 'f32' },
  { arm: '+ int8 dX', precision: 'w8a8', share: true, backward: 'int8' },
];
const smoothing = await calibrate(weights, batch, recipeSchema.shape.quantize.parse({}));
const results = [];
for (const { arm, precision, share, backward } of arms) {
  const quantized = precision === 'f32' ? f32Model(weights) : trainableModel(weights, smoothing);
  let wide: Float32Backward | undefined;
  if (precision === 'w8a8' && backward === 'f32') wide = float32Backward(quantized);
  // What is kept is the same in every arm: a layer's input.
  const settings = { lora: { rank: 16, scale: adapterScale(adapter) }, keptLayers: 0 };
  const engine = new Engine(wide?.model ?? quantized, settings);
  // Separate rows go through the model one after another, as they do where nothing is shared.
  const passes = share ? [batch] : batch.map((sample) => [sample]);
  await batchGradient(engine, adapter, passes);
  const start = performance.now();
  const { loss } = await batchGradient(engine, adapter, passes);
  const seconds = (performance.now() - start) / 1000;
  await engine.release();
  wide?.restore();
  results.push({ arm, tokens_per_s: tokens / seconds, seconds, loss });
  console.error(`ablation: ${JSON.stringify(results.at(-1))}`);
}
console.log(JSON.stringify(results));
