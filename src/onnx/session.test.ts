import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph/graph.ts';
import { emitGraph } from './emit.ts';
import { createSession } from './session.ts';

async function doubling() {
  const g = new GraphBuilder();
  const x = g.input('x', 'float32', [2]);
  return createSession(emitGraph(g, { y: g.op('Add', [x, x]) }).bytes, { threads: 1 });
}

const x = { dtype: 'float32', shape: [2], data: Float32Array.of(1, 2) } as const;

describe('createSession()', () => {
  it('tells the names of inputs and outputs', async () => {
    const session = await doubling();
    expect([session.inputNames, session.outputNames]).toEqual([['x'], ['y']]);
    await session.release();
  });

  it('gives new arrays, and ignores feeds that the graph does not read', async () => {
    const session = await doubling();
    const [first, second] = [await session.run({ x, unread: x }), await session.run({ x })];
    expect(first.y).toEqual({ dtype: 'float32', shape: [2], data: Float32Array.of(2, 4) });
    first.y!.data[0] = 99;
    expect(second.y!.data[0]).toBe(2);
    expect(x.data).toEqual(Float32Array.of(1, 2));
    await session.release();
  });

  it('writes an output where it is told to, also into a part of an array', async () => {
    const session = await doubling();
    const whole = new Float32Array(4).fill(-1);
    const { y } = await session.run({ x }, { y: { dtype: 'float32', shape: [2], data: whole.subarray(1, 3) } });
    expect([...whole]).toEqual([-1, 2, 4, -1]);
    expect(y!.data.buffer).toBe(whole.buffer);
    await session.release();
  });

  it('names the input that was not fed', async () => {
    const session = await doubling();
    await expect(session.run({})).rejects.toThrow('graph input x was not fed');
    await session.release();
  });
});
