import { existsSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { studentJob, trainingFolder, watching } from '../../test/train-setup.ts';
import { kernelTimes } from './kernel-times.ts';
import { opTimes, profileTraining, renderProfile } from './profile.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));

const event = (name: string, op_name: string, dur: number, inputs: number[][] = [], output: number[] = []) => ({
  cat: 'Node',
  name,
  dur,
  args: {
    op_name,
    input_type_shape: inputs.map((float) => ({ float })),
    output_type_shape: [{ float: output }],
    thread_scheduling_stats: { sub_threads: { a: {} } },
  },
});

describe('kernelTimes() and opTimes()', () => {
  it('sum kernels by shapes and by op, the longest first, and nothing else', () => {
    const first = [event('a_kernel_time', 'Add', 1000), event('a_fence_before', 'Add', 9000)];
    const second = [event('b_kernel_time', 'Softmax', 5000, [[2, 3]]), event('c_kernel_time', 'Add', 500, [[4]])];
    const session = { cat: 'Session', name: 'model_run', dur: 7000 };
    const kernels = kernelTimes([JSON.stringify([...first, session]), JSON.stringify(second)]);
    expect(kernels.map(({ op, inputs, runs }) => [op, inputs.length, runs])).toEqual([
      ['Softmax', 1, 1],
      ['Add', 0, 1],
      ['Add', 1, 1],
    ]);
    expect(opTimes(kernels)).toEqual([
      { op: 'Softmax', milliseconds: 5, runs: 1 },
      { op: 'Add', milliseconds: 1.5, runs: 2 },
    ]);
  });

  it('count the operations of products, transposed or not, and keep the fastest run', () => {
    const plain = event(
      'a_kernel_time',
      'MatMul',
      400,
      [
        [8, 5],
        [5, 6],
      ],
      [8, 6],
    );
    const transposed = event(
      'b_kernel_time',
      'FusedMatMul',
      300,
      [
        [5, 8],
        [6, 5],
      ],
      [8, 6],
    );
    const again = { ...transposed, dur: 100 };
    const kernels = kernelTimes([JSON.stringify([plain, transposed, again])]);
    expect(kernels.map(({ flops, runs, fastest, threads }) => [flops, runs, fastest, threads])).toEqual([
      [2 * 8 * 5 * 6, 1, 0.4, 2],
      [2 * 8 * 5 * 6, 2, 0.1, 2],
    ]);
    expect(opTimes(kernels)[1]).toMatchObject({ op: 'FusedMatMul', gflop: 960e-9 });
  });
});

describe('profileTraining()', () => {
  it('times two steps by op, and leaves nothing in the folder of the student', async () => {
    const job = studentJob(base, `${root}/profiled`);
    const profile = await profileTraining(job, watching().context);
    const ops = profile.ops.map(({ op }) => op);
    // Products of the forward and of the backward pass, in int8 and in f32.
    expect(ops).toEqual(
      expect.arrayContaining(['MatMulIntegerToFloat', 'FusedMatMul', 'SimplifiedLayerNormalization']),
    );
    const kernels = profile.ops.reduce((sum, { milliseconds }) => sum + milliseconds, 0);
    expect(kernels).toBeGreaterThan(0);
    expect(kernels).toBeLessThan(1000 * profile.seconds);
    expect(profile.buildSeconds).toBeGreaterThan(0);
    // Every product has its shapes.
    const products = profile.kernels.filter(({ op }) => op === 'MatMulIntegerToFloat');
    expect(products.every(({ flops, inputs }) => flops! > 0 && inputs[1]!.type === 'int8')).toBe(true);
    expect(existsSync(job.folder)).toBe(false);
    expect(renderProfile(profile)).toMatch(/^2 steps, .* s in one lane\nop .*\n(.*%.*\n)+outside of ops .*%\n$/);
  });
});
