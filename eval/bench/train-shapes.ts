/** The first step of a model's shapes with random weights, in a process of its own: `train-shapes.ts ALIAS MODEL SFT SAMPLES`. */

import { readSftJsonl } from '../../src/curate/sft-jsonl.ts';
import { Engine } from '../../src/engine/engine.ts';
import { tokenizeRows } from '../../src/engine/token-samples.ts';
import { knownSizes } from '../../src/model/known-sizes.ts';
import { randomWeights } from '../../src/model/random-weights.ts';
import { resolveModel } from '../../src/model/resolve.ts';
import { loadTokenizer } from '../../src/model/tokenizer.ts';
import { noSmoothing } from '../../src/quantize/smooth-quant.ts';
import { trainableModel } from '../../src/quantize/trainable-model.ts';
import { recipeSchema } from '../../src/recipe/schema.ts';
import { ADAMW_DEFAULTS } from '../../src/train/optimizer.ts';
import { PASS_TOKENS, planPasses } from '../../src/train/plan-steps.ts';
import { applyGradient, batchGradient, zeroGradients, zeroMoments } from '../../src/train/step.ts';
import { engineSettings, startOf } from '../../src/train/trained.ts';
import { planTrainingMemory } from '../../src/train/training-size.ts';

const [alias = '', tokenizerOf = '', sft = '', count = '6'] = process.argv.slice(2);
const config = knownSizes(alias)!;
// Any tokens will do, as long as the vocabulary has them.
const { folder } = await resolveModel(tokenizerOf, { emit: () => {} });
const samples = tokenizeRows(readSftJsonl(sft), await loadTokenizer(folder), 8192).samples.slice(0, Number(count));
const settings = recipeSchema.shape.train.parse({ model: alias, samplesPerStep: samples.length });
const memory = planTrainingMemory(config, samples, settings, 0, alias);
const weights = randomWeights(config);
const model = trainableModel(weights, noSmoothing(weights));
const trained = startOf(model, settings, 0);
const moments = zeroMoments(trained);
const sums = zeroGradients(trained);
const engine = new Engine(model, {
  ...engineSettings(trained),
  keptLayers: memory.keptLayers,
  lanes: memory.lanes,
  expectedRows: memory.rows,
});

const all = samples.map((_, i) => i);
const documents = samples.map(({ docId }) => docId);
const lengths = samples.map(({ tokens }) => tokens.length);
const passes = planPasses(all, documents, lengths, PASS_TOKENS).map((pass) => pass.map((i) => samples[i]!));
const start = performance.now();
const gradient = await batchGradient(engine, trained, passes, sums);
applyGradient(trained, moments, gradient, 1, 1e-4, 1, { ...ADAMW_DEFAULTS, weightDecay: 0 });
const seconds = (performance.now() - start) / 1000;
const tokens = lengths.reduce((sum, length) => sum + length, 0);
const build_s = engine.lanes.here.buildSeconds;
await engine.release();
console.log(
  JSON.stringify({
    shapes: alias,
    precision: model.precision,
    tokens,
    seconds,
    build_s,
    tokens_per_s: tokens / (seconds - build_s),
    kept_layers: memory.keptLayers,
    planned_gb: memory.bytes / 1e9,
    peak_rss_gb: (process.resourceUsage().maxRSS * 1024) / 1e9,
    // Random weights know nothing: near the logarithm of the vocabulary.
    loss: gradient.loss,
  }),
);
