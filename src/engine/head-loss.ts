/** Cross-entropy at the output head, on the rows that have labels alone and in blocks: all logits never exist at once. */

import { headGraph } from '../model/layer-graphs.ts';
import { addTo, type Floats, toTensor, zeros } from './floats.ts';
import { type EngineContext, ROW_BLOCK } from './layer-context.ts';
import type { Packed } from './pack.ts';

/** Logits a head block may hold (64 MB of f32). */
const HEAD_LOGITS = 2 ** 24;
/** Blocks are multiples of this: few shapes of graphs. */
const HEAD_MULTIPLE = 32;

export interface HeadLoss {
  /** Of each target, in nats. */
  readonly losses: Floats;
  /** Gradient of the weighted sum of losses at the last layer's output `[rows, hidden]`. */
  readonly dy?: Floats;
}

/**
 * @param hidden the last layer's output `[rows, hidden]`, before the final norm
 * @param weights of each target in the summed loss; absent: no gradient
 */
export async function headLoss(
  { model, cache, dtype }: EngineContext,
  { targets, rows }: Packed,
  hidden: Floats,
  weights: readonly number[] | undefined,
): Promise<HeadLoss> {
  const { config, head, normFinal } = model;
  const { hiddenSize, vocabSize } = config;
  const fitting = 2 ** Math.floor(Math.log2(HEAD_LOGITS / vocabSize));
  const most = Math.max(HEAD_MULTIPLE, Math.min(ROW_BLOCK, fitting));
  const backward = weights !== undefined;
  const losses = zeros(dtype, targets.length);
  const dy = backward ? zeros(dtype, rows * hiddenSize) : undefined;
  for (let start = 0; start < targets.length; start += most) {
    const block = targets.slice(start, start + most);
    const size = Math.ceil(block.length / HEAD_MULTIPLE) * HEAD_MULTIPLE;
    const h = zeros(dtype, size * hiddenSize);
    const labels = new BigInt64Array(size);
    const weight = zeros(dtype, size);
    for (const [i, { row, label }] of block.entries()) {
      h.set(hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize), i * hiddenSize);
      labels[i] = BigInt(label);
      weight[i] = weights?.[start + i] ?? 0;
    }
    const out = await cache.run(`head ${size} ${backward}`, () => headGraph(config, size, backward, dtype), {
      h: toTensor(h, [size, hiddenSize]),
      labels: { dtype: 'int64', shape: [size], data: labels },
      weight: toTensor(weight, [size, 1]),
      head,
      normFinal,
    });
    losses.set((out.loss!.data as Floats).subarray(0, block.length), start);
    if (!dy) continue;
    const dh = out['grad.h']!.data as Floats;
    for (const [i, { row }] of block.entries()) addTo(dy, row * hiddenSize, dh, i * hiddenSize, hiddenSize);
  }
  return dy ? { losses, dy } : { losses };
}
