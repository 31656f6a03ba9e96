/** How fast onnxruntime's kernel of a product is at its shapes: a graph of this one node. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GraphBuilder, type Value } from '../../src/graph/graph.ts';
import { ACTIVATION_STEP, ZERO_POINT } from '../../src/graph/ops/quantized.ts';
import type { DType, Tensor } from '../../src/graph/value.ts';
import { emitGraph } from '../../src/onnx/emit.ts';
import { createSession } from '../../src/onnx/session.ts';
import { type KernelTime, kernelTimes } from '../../src/train/kernel-times.ts';

/** Runs that are timed. */
const RUNS = 15;
/** Runs before them: the first ones find cold caches. */
const FIRST_RUNS = 3;

/**
 * Milliseconds of a run in so many threads, the median of some, by onnxruntime's own clock.
 *
 * @param meet called when all is prepared, before the runs that count
 * @throws Error for a kernel that is no product
 */
export async function kernelRun(kernel: KernelTime, threads: number, meet: () => void = () => {}): Promise<number> {
  const g = new GraphBuilder();
  const y = product(g, kernel);
  const folder = mkdtempSync(join(tmpdir(), 'mga-kernel-'));
  try {
    const emitted = emitGraph(g, { y });
    const session = await createSession(emitted.bytes, { threads, profile: join(folder, 'kernel') });
    const feeds = Object.fromEntries(
      kernel.inputs.flatMap(({ type, shape }, i) =>
        emitted.inputs.includes(`i${i}`) ? [[`i${i}`, filled(type, shape)]] : [],
      ),
    );
    const into = { y: filled('float', y.shape) };
    for (let run = 0; run < FIRST_RUNS; run++) await session.run(feeds, into);
    meet();
    for (let run = 0; run < RUNS; run++) await session.run(feeds, into);
    await session.release();
    const events = readdirSync(folder).flatMap(
      (name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as unknown[],
    );
    const times = events.map((event) => kernelTimes([JSON.stringify([event])])).filter(([one]) => one?.flops);
    if (times.length !== FIRST_RUNS + RUNS || times.some((one) => one.length > 1)) {
      throw new Error(`no single product: ${kernel.op}`);
    }
    const sorted = times
      .slice(FIRST_RUNS)
      .map(([one]) => one!.fastest)
      .sort((a, b) => a - b);
    return sorted[Math.floor(RUNS / 2)]!;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const DTYPES: Readonly<Record<string, DType>> = { float: 'float32', int8: 'int8', uint8: 'uint8' };

function product(g: GraphBuilder, { op, inputs, output }: KernelTime): Value {
  const input = (i: number) => g.input(`i${i}`, DTYPES[inputs[i]!.type]!, inputs[i]!.shape);
  if (op === 'MatMulIntegerToFloat') {
    const zero = g.constant({ dtype: 'uint8', shape: [], data: Uint8Array.of(ZERO_POINT) });
    return g.op(op, [input(0), input(1), g.scalar(ACTIVATION_STEP, 'float32'), input(3), zero]);
  }
  const [a, b] = [input(0), input(1)];
  // Square matrices look alike both ways, and are as fast.
  const transposed = {
    ...(a.shape.at(-2) === output!.shape.at(-2) ? {} : { transA: 1 }),
    ...(b.shape.at(-1) === output!.shape.at(-1) ? {} : { transB: 1 }),
  };
  return op === 'Gemm' && inputs.length === 3
    ? g.op('Gemm', [a, b, input(2)], transposed)
    : g.op('MatMul', [a, b], transposed);
}

/** Small numbers that are not zero: kernels must not meet denormals. */
function filled(type: string, shape: readonly number[]): Tensor {
  const size = shape.reduce((n, length) => n * length, 1);
  if (type === 'float') {
    return { dtype: 'float32', shape, data: Float32Array.from({ length: size }, (_, i) => ((i % 13) - 6) / 16) };
  }
  const codes = Array.from({ length: size }, (_, i) => i % 13);
  return type === 'int8'
    ? { dtype: 'int8', shape, data: Int8Array.from(codes) }
    : { dtype: 'uint8', shape, data: Uint8Array.from(codes) };
}
