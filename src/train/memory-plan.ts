/** What memory a training takes, and how many layers can keep their activations in what may be used. */

import { UserError } from '../foundation/errors.ts';
import type { ModelConfig } from '../model/config.ts';
import { linearGroups } from '../model/decoder-layer.ts';
import { hubWeightShapes } from '../model/hub-weights.ts';
import { loraShapes, outputsOf, type Precision } from '../model/linear.ts';
import type { TrainSettings } from '../recipe/schema.ts';

/** Node with the tokenizer and this program: 0.26 to 0.35 GB measured. */
const PROGRAM = 0.35e9;
/** Of each lane: a block of the head (logits, their exponentials, one more), the widest graphs' own tensors, sessions. */
const GRAPHS = 0.45e9;
/** While a layer ends, the next one begins. */
const LAYERS_AT_WORK = 2;
const FLOAT = 4;

export interface MemoryPlan {
  /** Layers that keep what backward needs; the others compute it again. */
  readonly keptLayers: number;
  /** Threads of the engine that hold weights of their own. */
  readonly lanes: number;
  /** Rows of the largest pass, after prefixes are shared. */
  readonly rows: number;
  /** Bytes the process is expected to have at its peak. */
  readonly bytes: number;
}

export interface MemoryNeeds {
  readonly config: ModelConfig;
  readonly method: TrainSettings['method'];
  readonly precision: Precision;
  readonly rank: number;
  /** Lanes wanted (laneCount). */
  readonly lanes: number;
  /** Rows of the largest pass. */
  readonly rows: number;
}

/** Floats a row that a layer keeps for its backward: q, k, v, attention output, residual stream, gate and up. */
function keptWidth({ hiddenSize, intermediateSize, heads, kvHeads, headDim }: ModelConfig): number {
  return 2 * heads * headDim + 2 * kvHeads * headDim + hiddenSize + 2 * intermediateSize;
}

/** Peak bytes of a training in `lanes` lanes whose last `keptLayers` layers keep their activations. */
export function trainingBytes(
  { config, method, precision, rank, rows, lanes }: MemoryNeeds,
  keptLayers: number,
): number {
  const { layers, hiddenSize, vocabSize, heads, kvHeads, headDim } = config;
  const groups = Object.values(linearGroups(config));
  const linears = layers * groups.reduce((n, group) => n + outputsOf(group) * group.inputs, 0);
  const size = (shape: readonly number[]) => shape.reduce((product, length) => product * length, 1);
  const all = [...hubWeightShapes(config).values()].reduce((n, shape) => n + size(shape), 0);
  const outside = FLOAT * (all - linears);
  const adapter =
    layers * groups.flatMap((group) => Object.values(loraShapes(group, rank))).reduce((n, shape) => n + size(shape), 0);
  // Parameters come with their gradient and two moments. All weights also want room for the newest part of the gradients of
  // a layer and of the head. Beside an adapter the weights are frozen; int8 ones are held twice, rounded for each way.
  const frozen = outside + linears * (precision === 'w8a8' ? 2 : FLOAT);
  const held =
    method === 'full' ? FLOAT * (4 * all + linears / layers + vocabSize * hiddenSize) : frozen + 4 * FLOAT * adapter;
  // A lane beside the first copies frozen weights once, and of trained ones those of the layer or the head that it is at.
  const lane = GRAPHS + (method === 'full' ? FLOAT * (linears / layers + vocabSize * hiddenSize) : frozen);
  const inputs = layers * hiddenSize;
  // Gradients that flow through two layers at once, and those layers' own activations where they are computed again.
  const flow = LAYERS_AT_WORK * (4 * hiddenSize + 2 * heads * headDim + 4 * kvHeads * headDim) + headDim;
  const kept = Math.min(layers, keptLayers + LAYERS_AT_WORK) * keptWidth(config);
  const steps = PROGRAM + GRAPHS + held + (lanes - 1) * lane + FLOAT * rows * (inputs + flow + kept);
  // The f32 weights, and once more where calibration runs them in a second lane.
  const loading = PROGRAM + outside + (precision === 'w8a8' ? 2 : 1) * FLOAT * linears;
  return Math.max(steps, loading);
}

/**
 * Chooses how many layers keep their activations, in as many lanes as there is memory for: a lane saves more time than
 * activations do.
 *
 * @param limit bytes that may be used
 * @param name of the student, for the error
 * @throws UserError where not even keeping nothing fits: with what would
 */
export function planMemory(needs: MemoryNeeds, limit: number, name: string): MemoryPlan {
  const { rows, config } = needs;
  for (let lanes = needs.lanes; lanes >= 1; lanes--) {
    for (let keptLayers = config.layers; keptLayers >= 0; keptLayers--) {
      const bytes = trainingBytes({ ...needs, lanes }, keptLayers);
      if (bytes <= limit) return { keptLayers, lanes, rows, bytes };
    }
  }
  const smallest = { ...needs, lanes: 1 };
  const gigabytes = (bytes: number) => (Math.ceil(bytes / 1e7) / 100).toFixed(2);
  const least = trainingBytes(smallest, 0);
  const perRow = trainingBytes({ ...smallest, rows: rows + 1 }, 0) - least;
  const fitting = Math.floor(rows - (least - limit) / perRow);
  const helps = fitting > 0 && trainingBytes({ ...smallest, rows: fitting }, 0) <= limit;
  const shorter = helps ? `, or lower train.maxTokens so that no document and its samples exceed ${fitting}` : '';
  const adapter = needs.method === 'full' ? ', or set train.method to lora' : '';
  throw new UserError(
    `Cannot train ${name} in ${gigabytes(limit)} GB: ${gigabytes(least)} GB are needed for a pass of ${rows} tokens`,
    `Give it train.memory ${gigabytes(least)} where the machine has that${shorter}${adapter}`,
  );
}

/** The plan in a sentence. */
export function describeMemory({ keptLayers, bytes }: MemoryPlan, { layers }: ModelConfig): string {
  const again = layers - keptLayers;
  const layout =
    again === 0 ? 'all layers keep their activations' : `${again} of ${layers} layers compute activations again`;
  return `about ${(bytes / 1e9).toFixed(1)} GB of memory; ${layout}`;
}
