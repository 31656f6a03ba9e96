import { describe, expect, it } from 'vitest';
import { GraphBuilder } from '../graph/graph.ts';
import type { GraphPart } from '../model/layer-graphs.ts';
import { GraphCache } from './graph-cache.ts';

/** y = x times 2^doublings. */
function doubling(doublings: number): GraphPart {
  const g = new GraphBuilder();
  let y = g.input('x', 'float32', [1]);
  for (let i = 0; i < doublings; i++) y = g.op('Add', [y, y]);
  return { g, outputs: { y }, given: {} };
}

const x = { dtype: 'float32', shape: [1], data: Float32Array.of(3) } as const;

describe('GraphCache', () => {
  it('builds a graph once, and sums the time each kind takes', async () => {
    const cache = new GraphCache({ threads: 1 });
    let built = 0;
    const run = async (key: string, doublings: number) => {
      const build = () => {
        built++;
        return doubling(doublings);
      };
      return (await cache.run(key, build, { x })).y!.data[0];
    };
    expect([await run('double 1', 1), await run('double 2', 2), await run('double 1', 1)]).toEqual([6, 12, 6]);
    expect(built).toBe(2);
    expect([...cache.spent.keys()]).toEqual(['double']);
    expect(cache.buildSeconds).toBeGreaterThan(0);
    await cache.release();
    expect(await run('double 1', 1)).toBe(6);
    expect(built).toBe(3);
    await cache.release();
  });

  it('gives up the graphs that were not used for longest', async () => {
    const cache = new GraphCache({ threads: 1 });
    const built: number[] = [];
    const run = (n: number) => {
      const build = () => {
        built.push(n);
        return doubling(1);
      };
      return cache.run(`graph ${n}`, build, { x });
    };
    for (let n = 0; n < 256; n++) await run(n);
    await run(0);
    await run(256);
    built.length = 0;
    await run(0);
    await run(1);
    expect(built).toEqual([1]);
    await cache.release();
  });
});
