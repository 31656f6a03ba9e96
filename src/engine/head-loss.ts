/** Cross-entropy at the output head, on the rows that have labels alone and in blocks: all logits never exist at once. */

import type { Tensor } from '../graph/value.ts';
import { headGraph, headParts } from '../model/layer-graphs.ts';
import { addTo, type Floats, rowsOf, toTensor, zeros } from './floats.ts';
import type { GradientSums } from './gradient-sums.ts';
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

/** Sums of normFinal's and the head's gradients. */
export interface HeadSums {
  readonly sums: GradientSums;
  /** The head's `[vocabulary, hidden]` among them. */
  readonly head: Floats;
}

/**
 * @param hidden the last layer's output `[rows, hidden]`, before the final norm
 * @param weights of each target in the summed loss; absent: no gradient
 * @param full where gradients of the final norm and of the head are added to
 */
export async function headLoss(
  { model, cache, pool, dtype }: EngineContext,
  { targets, rows }: Packed,
  hidden: Floats,
  weights: readonly number[] | undefined,
  full?: HeadSums,
): Promise<HeadLoss> {
  const { config, head, normFinal } = model;
  const { hiddenSize, vocabSize } = config;
  const fitting = 2 ** Math.floor(Math.log2(HEAD_LOGITS / vocabSize));
  const most = Math.max(HEAD_MULTIPLE, Math.min(ROW_BLOCK, fitting));
  const backward = weights !== undefined;
  const table = head.data as Floats;
  const parts = Object.fromEntries(
    headParts(config).map(({ name, start, end }) => [name, rowsOf(table, start, end - start, hiddenSize)]),
  );
  const losses = zeros(dtype, targets.length);
  const dy = backward ? pool.takeZeros(rows, hiddenSize) : undefined;
  for (let start = 0; start < targets.length; start += most) {
    const block = targets.slice(start, start + most);
    const size = Math.ceil(block.length / HEAD_MULTIPLE) * HEAD_MULTIPLE;
    const h = pool.takeZeros(size, hiddenSize);
    const dh = pool.take(size, hiddenSize);
    const labels = new BigInt64Array(size);
    const weight = zeros(dtype, size);
    for (const [i, { row, label }] of block.entries()) {
      h.set(hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize), i * hiddenSize);
      labels[i] = BigInt(label);
      weight[i] = weights?.[start + i] ?? 0;
    }
    const feeds = {
      h: toTensor(h, [size, hiddenSize]),
      labels: { dtype: 'int64', shape: [size], data: labels } satisfies Tensor,
      weight: toTensor(weight, [size, 1]),
      head,
      ...parts,
      normFinal,
    };
    const out = await cache.run(
      `head ${size} ${backward}`,
      () => headGraph(config, size, backward, dtype, full !== undefined),
      feeds,
      backward ? { ...full?.sums.places, 'grad.h': toTensor(dh, [size, hiddenSize]) } : {},
    );
    if (full) {
      full.sums.add(out);
      const labelRows = out.labelRows!.data as Floats;
      for (const [i, { label }] of block.entries()) subtractRow(full.head, label, labelRows, i, hiddenSize);
    }
    losses.set((out.loss!.data as Floats).subarray(0, block.length), start);
    if (dy) for (const [i, { row }] of block.entries()) addTo(dy, row * hiddenSize, dh, i * hiddenSize, hiddenSize);
    pool.give(hiddenSize, h, dh);
  }
  return dy ? { losses, dy } : { losses };
}

function subtractRow(sum: Floats, to: number, part: Floats, from: number, width: number): void {
  for (let j = 0; j < width; j++) sum[to * width + j]! -= part[from * width + j]!;
}
