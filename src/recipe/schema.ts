/** The recipe: one strict schema gives types, defaults, help and docs. Every default lives here. */

import { z } from 'zod';
import { armsSchema } from './arms-schema.ts';
import { curateSchema } from './curate-schema.ts';
import { JUDGE_PROMPTS } from './judge-prompt-names.ts';
import { REFORMULATE_PROMPTS } from './reformulate-prompt-names.ts';
import { roundsSchema } from './rounds-schema.ts';
import { stageDefinition } from './stage-definition.ts';

const stage = z.string();

const corpusFields = z.strictObject({
  text: z.string().optional().describe('Default: text, content, raw_content, meta.raw_text or content_split'),
  id: z.string().optional().describe('Default: id, doc_id or docid; documents without one get it from their text'),
  title: z.string().optional(),
  domain: z.string().optional(),
  language: z.string().optional().describe('Default: language or lang'),
});

const corpus = z.strictObject({
  path: z
    .string()
    .describe(
      'File, folder or glob, here or on the hub (`hf://datasets/owner/name`): JSON Lines, Parquet, Arrow, text, Markdown; plain, .gz or .zst (docs/data.md)',
    ),
  fields: corpusFields.optional().describe('Names of the fields of a row; dots go into nested ones'),
  languages: z
    .array(z.string())
    .optional()
    .describe('Only these: as the rows say, else ISO 639-1 codes told from words'),
  minWords: z.int().positive().optional().describe('Leave shorter documents out'),
  maxWords: z.int().positive().optional().describe('Leave longer documents out'),
  duplicates: z
    .enum(['keep', 'exact', 'near'])
    .default('exact')
    .describe('Which repeats are left out; near: also those that share most 5-word runs'),
  limit: z.int().positive().optional().describe('Use only the first n documents that pass'),
  sample: z.int().positive().optional().describe("Draw n of them by the recipe's seed"),
  chunkTokens: z
    .int()
    .positive()
    .default(3000)
    .describe('Longer documents are cut between paragraphs; 3000 leave room for a prompt of 4,096 tokens'),
});

const splits = z.strictObject({
  file: z.string().optional().describe('JSON file {train, dev, validation} of document ids; wins over the shares'),
  dev: z.number().min(0).max(0.5).default(0.1).describe('Share of documents for dev loss'),
  validation: z.number().min(0).max(0.5).default(0.15).describe('Share of documents nothing reads before `validate`'),
});

const price = z.strictObject({
  inputPerMillion: z.number().min(0).describe('US dollars per million prompt tokens'),
  outputPerMillion: z.number().min(0).describe('US dollars per million completion tokens'),
  cachedInputPerMillion: z
    .number()
    .min(0)
    .optional()
    .describe('Of prompt tokens the provider took from its cache; default: as other prompt tokens'),
  batchShare: z
    .number()
    .min(0)
    .max(1)
    .optional()
    .describe('Share of these prices that requests in batches cost; default: 0.5'),
});

const budget = z.strictObject({
  usd: z.number().min(0).optional().describe('Most US dollars the teacher may cost over the whole life of the run'),
});

const provider = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens')
    .describe('Its name in the ledger and in messages'),
  model: z
    .string()
    .optional()
    .describe('What this server calls the model; this and the next four default to the keys above'),
  baseUrlEnv: z.string().optional(),
  apiKeyEnv: z.string().optional(),
  structured: z.boolean().optional(),
  batch: z.boolean().optional(),
  price: price.optional().describe('Default: the price above where the model has the same name'),
  concurrency: z.int().positive().optional().describe('Requests in flight; default: `collect.concurrency`'),
});

const plan = z.strictObject({
  machineUsdPerHour: z
    .number()
    .min(0)
    .optional()
    .describe('US dollars an hour of this machine costs, for the break-even of `mga plan`; default: not counted'),
});

const teacher = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('recorded'),
    folder: z.string().describe('Folder of a recorded teacher: pairs.jsonl, texts.jsonl, judgements.jsonl'),
  }),
  z.strictObject({
    kind: z.literal('openai'),
    model: z.string().describe('Model name the server knows; what the requests are known by'),
    baseUrlEnv: z.string().default('OPENAI_BASE_URL').describe('Environment variable with the base URL'),
    apiKeyEnv: z.string().default('OPENAI_API_KEY').describe('Environment variable with the key; never the key itself'),
    temperature: z.number().min(0).max(2).default(0.7),
    structured: z
      .boolean()
      .default(true)
      .describe('Have the server hold JSON answers to their schema; where it refuses, they are asked for without'),
    batch: z
      .boolean()
      .default(false)
      .describe("Ask by the provider's Batch API: cheaper, and up to a day later (docs/collecting.md)"),
    price: price.optional(),
    providers: z
      .array(provider)
      .min(1)
      .optional()
      .describe('Servers that share the requests, instead of the one above (docs/collecting.md)'),
  }),
]);

const collect = z.strictObject({
  stages: z
    .array(stage)
    .default(['pairs', 'reformulate', 'judge'])
    .describe('Jobs the teacher does: `pairs`, `reformulate`, `judge`, and those of `stages`'),
  concurrency: z.int().positive().default(8).describe('Requests in flight'),
  maxAttempts: z.int().positive().default(6).describe('Tries of a request before it counts as failed'),
  timeoutSeconds: z.number().positive().default(120),
  judgeTexts: z
    .string()
    .optional()
    .describe(
      'JSON Lines file of further texts to be judged ({id, doc_id, text, kind}): what local judges are fitted on',
    ),
});

const reformulate = z.strictObject({
  prompt: z
    .enum(REFORMULATE_PROMPTS)
    .default('base')
    .describe('Variant asked of teacher and students: rewrite, polish lightly, or write anew (docs/analysis.md)'),
});

const judging = z.strictObject({
  teacher: teacher.optional().describe('Who judges, as the section `teacher`; default: the teacher itself'),
  prompt: z
    .enum(JUDGE_PROMPTS)
    .default('judge-1')
    .describe('Version of the judge prompt: points compared as a whole, or statement by statement'),
  rubric: z
    .string()
    .min(1)
    .optional()
    .describe('Text that takes the place of what raises and lowers the score, and of the levels, in the prompt'),
  temperature: z.number().min(0).max(2).default(0),
  repeats: z.int().min(1).max(9).default(1).describe('Judgements of each text; its score is their median'),
  logprobs: z
    .boolean()
    .default(false)
    .describe('Ask for token probabilities too, where the server has them: the distribution over the scores is kept'),
  second: teacher.optional().describe('A second judge of every text, as the section `teacher`: how far both agree'),
  canaries: z
    .int()
    .min(0)
    .default(10)
    .describe('Texts with planted faults and injected instructions put among the others; none for a recording'),
});

const lora = z.strictObject({
  rank: z.int().positive().default(16).describe('LoRA rank r'),
  alpha: z.number().positive().default(32).describe('LoRA alpha; the adapter is scaled by alpha / r'),
});

const train = z.strictObject({
  model: z
    .string()
    .default('smollm2-135m-instruct')
    .describe('Alias, hub id, folder or GGUF file of the pre-trained student'),
  method: z
    .enum(['lora', 'full'])
    .default('lora')
    .describe('lora: an adapter beside frozen weights; full: all weights, with precision f32, in far more memory'),
  precision: z
    .enum(['f32', 'w8a8'])
    .default('w8a8')
    .describe('w8a8: train through the int8 weights that will be deployed'),
  lora: lora.prefault({}),
  epochs: z.number().positive().default(1),
  maxSteps: z.int().positive().optional(),
  samplesPerStep: z
    .int()
    .positive()
    .default(6)
    .describe('Samples of one optimizer step at most; those of a document stay together where they fit'),
  learningRate: z.number().positive().default(2e-3).describe('2e-3 suits adapters; all weights want 1e-5 to 1e-4'),
  warmup: z.number().min(0).max(1).default(0.05).describe('Share of the steps with linear warm-up'),
  weightDecay: z.number().min(0).default(0).describe('Of matrices, not of norms and biases'),
  gradientClip: z.number().positive().default(1).describe('Largest global gradient norm'),
  maxTokens: z.int().positive().default(2048).describe('Longer samples are left out, and counted'),
  checkpointEvery: z.int().positive().default(20).describe('Steps between checkpoints'),
  evaluateEvery: z.int().positive().default(40).describe('Steps between dev losses'),
  patience: z
    .int()
    .positive()
    .optional()
    .describe('Dev losses without a new best that end training; the best is kept. Default: all steps, the last'),
  memory: z
    .number()
    .positive()
    .optional()
    .describe('Gigabytes training may use in all; the less, the more is computed twice; default: what is free'),
  device: z.enum(['cpu', 'webgpu', 'cuda']).default('cpu'),
  threads: z.int().positive().optional().describe('Default: all cores'),
});

type Train = z.output<typeof train>;
/** Any keys of `train`. Held apart from `train.partial()`, which would fill in the defaults again and hide the recipe's own section. */
export type TrainOverrides = { [K in keyof Train]?: K extends 'lora' ? Partial<Train['lora']> : Train[K] };

function withoutDefaults(object: z.ZodObject): z.ZodObject {
  const fields = Object.entries(object.shape).map(([key, field]) => {
    let inner = field;
    while (inner instanceof z.ZodDefault || inner instanceof z.ZodPrefault || inner instanceof z.ZodOptional) {
      inner = inner.unwrap();
    }
    return [key, z.optional(inner instanceof z.ZodObject ? withoutDefaults(inner) : inner)] as const;
  });
  return z.strictObject(Object.fromEntries(fields));
}

const trainOverrides = withoutDefaults(train) as unknown as z.ZodType<TrainOverrides, TrainOverrides>;

const generation = z.strictObject({
  temperature: z.number().min(0).default(0.7).describe('0 is greedy'),
  topP: z.number().gt(0).max(1).default(0.9),
  repetitionPenalty: z.number().min(1).default(1).describe('On tokens the response has already; above 1 against loops'),
  penalizePrompt: z
    .boolean()
    .default(false)
    .describe("The penalty counts the prompt too, as transformers' does: a rewriter then avoids its source's words"),
  maxTokens: z.int().positive().default(380),
  batch: z.int().positive().default(32).describe('Sequences decoded together'),
});

/** Any keys of `generate`. */
export type GenerationOverrides = Partial<z.output<typeof generation>>;
const generationOverrides = withoutDefaults(generation) as unknown as z.ZodType<
  GenerationOverrides,
  GenerationOverrides
>;

const student = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'),
  stages: z
    .array(stage)
    .min(1)
    .describe('Jobs this student learns: `pairs`, `reformulate`, `judge`, and those of `stages`'),
  train: trainOverrides.optional().describe('Overrides of the `train` section for this student'),
  generate: generationOverrides.optional().describe('Overrides of the `generate` section for this student'),
});

const quantize = z.strictObject({
  smoothing: z
    .number()
    .min(0)
    .max(1)
    .default(0.65)
    .describe('SmoothQuant migration strength alpha of what norms feed: q, k, v, gate and up'),
  smoothingDown: z
    .number()
    .min(0)
    .max(1)
    .default(0.5)
    .describe('The same of what down reads; a higher one suits the base, not what long training makes of it'),
  calibrationSamples: z.int().positive().default(12),
});

const exporting = z.strictObject({
  onnx: z
    .array(z.enum(['f32', 'w8a8']))
    .default(['w8a8'])
    .describe('ONNX precisions in the layout transformers.js loads'),
  adapter: z
    .enum(['merged', 'beside'])
    .default('beside')
    .describe('w8a8: adapter merged and re-rounded, or f32 beside the int8 base'),
  peft: z.boolean().default(true).describe('LoRA adapter as PEFT safetensors'),
  safetensors: z
    .array(z.enum(['f32', 'w8a8']))
    .default([])
    .describe('Merged model folders for Python: f32 for transformers, w8a8 in the format of compressed-tensors (vLLM)'),
});

const judge = z.strictObject({
  kind: z
    .enum(['local', 'teacher'])
    .default('local')
    .describe(
      'Who scores student outputs: the local judge (a student with the stage `judge` takes its place where it is better), or the LLM of the section `judge`',
    ),
  cascade: z
    .strictObject({
      below: z
        .number()
        .min(0)
        .max(1)
        .default(0.9)
        .describe(
          'Texts whose side of 3 the local or distilled judge holds for right with a lower probability go to the LLM of the section `judge` (docs/collecting.md)',
        ),
    })
    .optional(),
  teacher: teacher.optional().describe('This and the keys below: as in the section `judge`, for validation alone'),
  prompt: z.enum(JUDGE_PROMPTS).optional(),
  rubric: z.string().min(1).optional(),
  temperature: z.number().min(0).max(2).optional(),
  repeats: z.int().min(1).max(9).optional(),
  logprobs: z.boolean().optional(),
  second: teacher.optional(),
  canaries: z.int().min(0).optional(),
});

const validate = z.strictObject({
  documents: z.int().positive().optional().describe('Validation documents used; default: all'),
  pairsPerDocument: z.int().min(1).max(5).default(5),
  arms: armsSchema({ price, generate: generationOverrides }),
  judge: judge.prefault({}),
  margin: z.number().min(0).max(100).default(3).describe('Non-inferiority margin in points of Rate(>=3)'),
  secondScores: z
    .string()
    .optional()
    .describe('JSON Lines file {arm, item, score} by a second judge: its agreement, and Diff recomputed under it'),
  humanScores: z
    .string()
    .optional()
    .describe("JSON Lines file {arm, item, score} by people: the judge's sensitivity, specificity and corrected rates"),
  embeddings: z
    .string()
    .optional()
    .describe('Sentence embedder of the pictures of all texts: `all-minilm-l6-v2`, or a folder; default: no pictures'),
  resamples: z.int().min(100).default(2000).describe('Bootstrap resamples over documents'),
});

/** The whole recipe. Unknown keys are errors. */
export const recipeSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'),
  description: z.string().optional(),
  seed: z.int().min(0).default(0),
  corpus,
  splits: splits.prefault({}),
  teacher,
  collect: collect.prefault({}),
  budget: budget.prefault({}),
  plan: plan.prefault({}),
  reformulate: reformulate.prefault({}).describe('The stage `reformulate`'),
  judge: judging.prefault({}).describe('The LLM that judges'),
  stages: z
    .record(z.string().regex(/^[a-z0-9][a-z0-9-]*$/, 'lower-case letters, digits and hyphens'), stageDefinition)
    .default({})
    .describe('Stages of your own, by name (docs/own-stages.md)'),
  curate: curateSchema.prefault({}),
  rounds: roundsSchema(teacher).prefault({}),
  students: z.array(student).min(1),
  train: train.prefault({}),
  generate: generation.prefault({}),
  quantize: quantize.prefault({}),
  export: exporting.prefault({}),
  validate: validate.prefault({}),
});

export type Recipe = z.output<typeof recipeSchema>;
export type RecipeInput = z.input<typeof recipeSchema>;
export type TrainSettings = Recipe['train'];
export type GenerationSettings = Recipe['generate'];
export type StudentSettings = Recipe['students'][number];
export type ArmSettings = Recipe['validate']['arms'][number];
