/** Cross-entropy at the output head, on the rows that have labels alone and in blocks: all logits never exist at once. */

import { headGraph, headParts } from '../model/layer-graphs.ts';
import { addGradients } from './add-gradients.ts';
import { addTo, type Floats, rowsOf, toTensor, zeros } from './floats.ts';
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

/** Sums of gradients, where all weights are trained. */
export interface HeadSums {
  readonly normFinal: Floats;
  /** The head's `[vocabulary, hidden]`. */
  readonly head: Floats;
}

/**
 * @param hidden the last layer's output `[rows, hidden]`, before the final norm
 * @param weights of each target in the summed loss; absent: no gradient
 * @param sums where gradients of the final norm and of the head are added to
 */
export async function headLoss(
  { model, lanes, pool, dtype }: EngineContext,
  { targets, rows }: Packed,
  hidden: Floats,
  weights: readonly number[] | undefined,
  sums?: HeadSums,
): Promise<HeadLoss> {
  const { config, head, normFinal } = model;
  const { hiddenSize } = config;
  const backward = weights !== undefined;
  const table = head.data as Floats;
  const parts = Object.fromEntries(
    headParts(config).map(({ name, start, end }) => [name, rowsOf(table, start, end - start, hiddenSize)]),
  );
  const tensors = { ...parts, normFinal };
  const losses = zeros(dtype, targets.length);
  const dy = backward ? pool.takeZeros(rows, hiddenSize) : undefined;
  const most = blockRows(targets.length, config.vocabSize);
  const blocks = Array.from({ length: Math.ceil(targets.length / most) }, (_, i) =>
    targets.slice(i * most, (i + 1) * most),
  );
  const taken: Floats[] = [];
  const tasks = blocks.map((block, b) => {
    const size = Math.ceil(block.length / HEAD_MULTIPLE) * HEAD_MULTIPLE;
    const h = pool.takeZeros(size, hiddenSize);
    const labelRows = pool.takeZeros(size, hiddenSize);
    taken.push(h, labelRows);
    const weight = zeros(dtype, size);
    for (const [i, { row, label }] of block.entries()) {
      h.set(hidden.subarray(row * hiddenSize, (row + 1) * hiddenSize), i * hiddenSize);
      labelRows.set(table.subarray(label * hiddenSize, (label + 1) * hiddenSize), i * hiddenSize);
      weight[i] = weights?.[b * most + i] ?? 0;
    }
    return {
      key: `head ${size} ${backward}`,
      build: () => headGraph(config, size, backward, dtype, sums !== undefined),
      feeds: () => ({
        h: toTensor(h, [size, hiddenSize]),
        labelRows: toTensor(labelRows, [size, hiddenSize]),
        weight: toTensor(weight, [size, 1]),
      }),
    };
  });
  const inputs = sums ? { fixed: {}, changing: tensors } : { fixed: tensors, changing: {} };
  await lanes.runAll(tasks, inputs, (out, b) => {
    const block = blocks[b]!;
    losses.set((out.loss!.data as Floats).subarray(0, block.length), b * most);
    if (sums) {
      addGradients({ ...sums }, out);
      const weighted = out.weighted!.data as Floats;
      for (const [i, { label }] of block.entries()) subtractRow(sums.head, label, weighted, i, hiddenSize);
    }
    if (dy) {
      const dh = out['grad.h']!.data as Floats;
      for (const [i, { row }] of block.entries()) addTo(dy, row * hiddenSize, dh, i * hiddenSize, hiddenSize);
    }
  });
  pool.give(hiddenSize, ...taken);
  return dy ? { losses, dy } : { losses };
}

/** Targets of a block: as many as the logits' memory allows, and alike, for an even number of blocks. */
function blockRows(targets: number, vocabSize: number): number {
  const fitting = 2 ** Math.floor(Math.log2(HEAD_LOGITS / vocabSize));
  const most = Math.max(HEAD_MULTIPLE, Math.min(ROW_BLOCK, fitting));
  if (targets <= most) return most;
  const blocks = 2 * Math.ceil(targets / most / 2);
  return Math.ceil(targets / blocks / HEAD_MULTIPLE) * HEAD_MULTIPLE;
}

function subtractRow(sum: Floats, to: number, part: Floats, from: number, width: number): void {
  for (let j = 0; j < width; j++) sum[to * width + j]! -= part[from * width + j]!;
}
