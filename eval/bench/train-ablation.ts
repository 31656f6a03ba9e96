/** Seconds and loss of one step in each form of the engine, in a process of its own: `train-ablation.ts MODEL SFT SAMPLES`. */

import { readSftJsonl } from '../../src/curate/sft-jsonl.ts';
import { Engine } from '../../src/engine/engine.ts';
import { tokenizeRows } from '../../src/engine/token-samples.ts';
import { adapterScale, createAdapter } from '../../src/model/adapter.ts';
import { loadModel } from '../../src/model/load.ts';
import { resolveModel } from '../../src/model/resolve.ts';
import { f32Model } from '../../src/model/runtime-model.ts';
import { loadTokenizer } from '../../src/model/tokenizer.ts';
import { calibrate } from '../../src/quantize/calibrate.ts';
import { quantizedModel } from '../../src/quantize/smooth-quant.ts';
import { batchGradient } from '../../src/train/step.ts';

const [model = '', sft = '', count = '6'] = process.argv.slice(2);
const { folder } = await resolveModel(model, { emit: () => {} });
const { samples } = tokenizeRows(readSftJsonl(sft), await loadTokenizer(folder), 8192);
const batch = samples.slice(0, Number(count));
const tokens = batch.reduce((n, sample) => n + sample.tokens.length, 0);
const weights = loadModel(folder);
const adapter = createAdapter(weights.config, { rank: 16, alpha: 32 }, 0);

const arms = [
  { arm: 'f32, separate rows', precision: 'f32', share: false },
  { arm: 'f32, shared prefixes', precision: 'f32', share: true },
  { arm: 'int8 forward and dX, shared prefixes', precision: 'w8a8', share: true },
] as const;
const results = [];
for (const { arm, precision, share } of arms) {
  const runtime =
    precision === 'f32'
      ? f32Model(weights)
      : quantizedModel(weights, await calibrate(weights, batch, { smoothing: 0.5 }));
  // What is kept is the same in every arm: a layer's input.
  const engine = new Engine(runtime, { lora: { rank: 16, scale: adapterScale(adapter) }, keptLayers: 0 });
  // Separate rows go through the model one after another, as they do where nothing is shared.
  const passes = share ? [batch] : batch.map((sample) => [sample]);
  await batchGradient(engine, adapter, passes);
  const start = performance.now();
  const { loss } = await batchGradient(engine, adapter, passes);
  const seconds = (performance.now() - start) / 1000;
  await engine.release();
  results.push({ arm, tokens_per_s: tokens / seconds, seconds, loss });
}
console.log(JSON.stringify(results));
