import { existsSync, rmSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { studentJob, trainingFolder, watching } from '../../test/train-setup.ts';
import { opTimes, profileTraining, renderProfile } from './profile.ts';

const { root, base } = trainingFolder();
afterAll(() => rmSync(root, { recursive: true }));

describe('opTimes()', () => {
  it('sums kernels by op, the longest first, and nothing else', () => {
    const event = (name: string, op_name: string, dur: number) => ({ cat: 'Node', name, dur, args: { op_name } });
    const first = [event('a_kernel_time', 'Add', 1000), event('a_fence_before', 'Add', 9000)];
    const second = [event('b_kernel_time', 'MatMul', 5000), event('c_kernel_time', 'Add', 500)];
    const session = { cat: 'Session', name: 'model_run', dur: 7000 };
    expect(opTimes([JSON.stringify([...first, session]), JSON.stringify(second)])).toEqual([
      { op: 'MatMul', milliseconds: 5, runs: 1 },
      { op: 'Add', milliseconds: 1.5, runs: 2 },
    ]);
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
    expect(existsSync(job.folder)).toBe(false);
    expect(renderProfile(profile)).toMatch(/^2 steps, .* s\nop .*\n(.*%.*\n)+outside of ops .*%\n$/);
  });
});
