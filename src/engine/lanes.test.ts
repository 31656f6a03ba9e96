/** Tasks in several threads: same bits, sums in order, failures that are told. */

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, describe, expect, it } from 'vitest';
import { busyAdapter, drawTree, loraOf, lossAndGradients, tinyWeights } from '../../test/tiny-models.ts';
import { GraphBuilder } from '../graph/graph.ts';
import type { Tensor } from '../graph/value.ts';
import type { GraphPart } from '../model/layer-graphs.ts';
import { f32Model } from '../model/runtime-model.ts';
import { kernelTimes } from '../train/kernel-times.ts';
import { Engine } from './engine.ts';
import { Lane } from './lane.ts';
import { laneCount } from './lane-count.ts';
import { Lanes } from './lanes.ts';
import { packSequences } from './pack.ts';

const vector = (...values: number[]): Tensor => ({
  dtype: 'float32',
  shape: [values.length],
  data: Float32Array.from(values),
});

/** y = weight x + shift. */
function affine(): GraphPart {
  const g = new GraphBuilder();
  const [x, weight, shift] = ['x', 'weight', 'shift'].map((name) => g.input(name, 'float32', [1]));
  return { g, outputs: { y: g.op('Add', [g.op('Mul', [weight!, x!]), shift!]) }, given: {} };
}

const tasks = (count: number) =>
  Array.from({ length: count }, (_, i) => ({ key: 'affine', build: affine, feeds: () => ({ x: vector(i) }) }));

let open: { release(): Promise<void> }[] = [];
const lanesOf = async (count: number) => {
  const lanes = new Lanes({ threads: count }, count);
  open.push(lanes);
  await lanes.started();
  return lanes;
};
afterEach(async () => {
  for (const one of open) await one.release();
  open = [];
});

describe('Lanes', () => {
  it.each([1, 2, 3])('%i lanes run every task once and tell of them in order', async (count) => {
    const lanes = await lanesOf(count);
    const found: [number, number][] = [];
    const inputs = { fixed: { weight: vector(2) }, changing: { shift: vector(1) } };
    await lanes.runAll(tasks(9), inputs, ({ y }, i) => found.push([i, y!.data[0] as number]));
    expect(found).toEqual(Array.from({ length: 9 }, (_, i) => [i, 2 * i + 1]));
  });

  it('reads what changes anew in each call, and what is fixed from where it lies', async () => {
    const lanes = await lanesOf(2);
    const shift = vector(1);
    const table = Float32Array.of(2, 3);
    const run = async (at: number) => {
      const found: number[] = [];
      const weight = { dtype: 'float32', shape: [1], data: table.subarray(at, at + 1) } as const;
      await lanes.runAll(tasks(6), { fixed: { weight }, changing: { shift } }, ({ y }) => {
        found.push(y!.data[0] as number);
      });
      return found;
    };
    expect(await run(0)).toEqual([1, 3, 5, 7, 9, 11]);
    (shift.data as Float32Array)[0] = 10;
    expect(await run(0)).toEqual([10, 12, 14, 16, 18, 20]);
    expect(await run(1)).toEqual([10, 13, 16, 19, 22, 25]);
  });

  it('writes outputs where they are wanted, whichever lane computed them', async () => {
    const lanes = await lanesOf(2);
    const all = new Float32Array(8);
    const into = (i: number) => ({ y: { dtype: 'float32', shape: [1], data: all.subarray(i, i + 1) } as const });
    const placed = tasks(8).map((task, i) => ({ ...task, into: into(i) }));
    await lanes.runAll(placed, { fixed: { weight: vector(3) }, changing: { shift: vector(0) } });
    expect([...all]).toEqual([0, 3, 6, 9, 12, 15, 18, 21]);
  });

  it.each([1, 2])(
    '%i lanes start a task when those it waits for are there, whatever call they are of',
    async (count) => {
      const lanes = await lanesOf(count);
      const inputs = { fixed: { weight: vector(2) }, changing: { shift: vector(1) } };
      // Each call has five tasks; task i reads what task i - 1 of the call before wrote.
      const values = Array.from({ length: 4 }, () => new Float32Array(5));
      const place = (call: number, i: number): Tensor => ({
        dtype: 'float32',
        shape: [1],
        data: values[call]!.subarray(i, i + 1),
      });
      let before: readonly Promise<void>[] = [];
      // The last call's tasks do not wait for all of the calls before.
      const all: Promise<void>[] = [];
      for (const [call, row] of values.entries()) {
        const readsWritten = (i: number) => call > 0 && i > 0;
        const started = lanes.start(
          Array.from(row, (_, i) => ({
            key: 'affine',
            build: affine,
            after: readsWritten(i) ? [before[i - 1]!] : [],
            feeds: () => ({ x: readsWritten(i) ? place(call - 1, i - 1) : vector(i) }),
            into: { y: place(call, i) },
          })),
          inputs,
        );
        before = started.placed;
        all.push(...before);
      }
      await Promise.all(all);
      expect(values.map((row) => [...row])).toEqual([
        [1, 3, 5, 7, 9],
        [1, 3, 7, 11, 15],
        [1, 3, 7, 15, 23],
        [1, 3, 7, 15, 31],
      ]);
    },
  );

  it('lets fail what waits for a task that failed, and the rest end before it says so', async () => {
    const lanes = await lanesOf(2);
    const inputs = { fixed: { weight: vector(1) }, changing: { shift: vector(0) } };
    const [bad, ...good] = tasks(6);
    const first = lanes.start([{ ...bad!, feeds: () => ({ x: vector(1, 2) }) }, ...good], inputs);
    let isRead = false;
    const readsIt = () => {
      isRead = true;
      return { x: vector(0) };
    };
    const second = lanes.start([{ ...bad!, after: [first.placed[0]!], feeds: readsIt }], inputs);
    let ended = 0;
    for (const promise of first.placed.slice(1)) promise.then(() => ended++);
    await expect(lanes.settled(second.placed[0]!)).rejects.toThrow(/Got invalid dimensions|Expected/);
    expect(isRead).toBe(false);
    expect(ended).toBe(5);
  });

  it('fails with what a lane failed with, and runs on afterwards', async () => {
    const lanes = await lanesOf(2);
    const inputs = { fixed: { weight: vector(1) }, changing: { shift: vector(0) } };
    // The first tasks go to the other lane, whose graph wants one number.
    const bad = tasks(3).map((task, i) => (i === 0 ? { ...task, feeds: () => ({ x: vector(1, 2) }) } : task));
    await expect(lanes.runAll(bad, inputs)).rejects.toThrow(/Got invalid dimensions|Expected/);
    const found: number[] = [];
    await lanes.runAll(tasks(4), inputs, ({ y }) => found.push(y!.data[0] as number));
    expect(found).toEqual([0, 1, 2, 3]);
  });

  it('does the work of lanes that have not started', async () => {
    const lanes = new Lanes({ threads: 2 }, 2);
    open.push(lanes);
    const found: number[] = [];
    const inputs = { fixed: { weight: vector(2) }, changing: { shift: vector(0) } };
    await lanes.runAll(tasks(3), inputs, ({ y }) => found.push(y!.data[0] as number));
    expect(found).toEqual([0, 2, 4]);
  });

  it('writes profiles of all lanes, each of its own name', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mga-lanes-'));
    try {
      const lanes = new Lanes({ threads: 2, profile: join(folder, 'p') }, 2);
      await lanes.started();
      await lanes.runAll(tasks(9), { fixed: { weight: vector(1) }, changing: { shift: vector(0) } });
      await lanes.release();
      const names = readdirSync(folder).sort();
      expect(names.map((name) => name.replace(/_.*/, ''))).toEqual(['p-0', 'p-lane0-0']);
      const runs = kernelTimes(names.map((name) => readFileSync(join(folder, name), 'utf8')));
      expect(runs.map((kernel) => [kernel.op, kernel.runs])).toEqual(
        expect.arrayContaining([
          ['Add', 9],
          ['Mul', 9],
        ]),
      );
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it('takes no run any more when its thread has died, and still ends', async () => {
    const lane = new Lane({ threads: 1 });
    await lane.started;
    expect(lane.isReady).toBe(true);
    // From outside, as what kills a thread for its memory does.
    await (lane as unknown as { worker: Worker }).worker.terminate();
    expect(lane.isReady).toBe(false);
    await lane.release();
  });

  it('keeps working when more graphs are used than a lane keeps sessions of', async () => {
    const lanes = await lanesOf(2);
    const inputs = { fixed: { weight: vector(1) }, changing: { shift: vector(0) } };
    const many = Array.from({ length: 300 }, (_, i) => ({
      key: `affine ${i}`,
      build: affine,
      feeds: () => ({ x: vector(i) }),
    }));
    for (let round = 0; round < 2; round++) {
      let sum = 0;
      await lanes.runAll(many, inputs, ({ y }) => {
        sum += y!.data[0] as number;
      });
      expect(sum).toBe((300 * 299) / 2);
    }
  });
});

describe('an Engine of several lanes', () => {
  const model = f32Model(tinyWeights({ family: 'llama', layers: 2 }));
  const adapter = busyAdapter(model.config, { rank: 4, alpha: 8 });
  const packed = packSequences([...drawTree(40, [300, 250, 280], 5), ...drawTree(12, [70], 6)]);

  async function gradients(lanes: number) {
    const engine = new Engine(model, { lora: loraOf(adapter), threads: lanes, lanes });
    open.push(engine);
    await engine.lanes.started();
    return lossAndGradients(engine, packed, adapter.layers);
  }

  it('gives the same bits as one lane: losses and all gradients', async () => {
    const one = await gradients(1);
    expect(await gradients(2)).toEqual(one);
    expect(await gradients(3)).toEqual(one);
  });
});

it('takes lanes where they are worth it', () => {
  const tiny = f32Model(tinyWeights({ family: 'llama' })).config;
  const small = { ...tiny, hiddenSize: 576, intermediateSize: 1536 };
  expect(laneCount({ threads: 2 }, tiny)).toBe(1);
  expect(laneCount({ threads: 1 }, small)).toBe(1);
  expect(laneCount({ threads: 2 }, small)).toBe(2);
  expect(laneCount({ threads: 16 }, small)).toBe(4);
  expect(laneCount({ threads: 2, device: 'cuda' }, small)).toBe(1);
  expect(laneCount({ threads: 2, lanes: 1 }, small)).toBe(1);
});
