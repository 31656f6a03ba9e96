import { describe, expect, it } from 'vitest';
import { AdaptiveLimit } from './adaptive-limit.ts';

/** Lets no pause take time. */
const noWait = async () => {};

describe('AdaptiveLimit', () => {
  it('holds back what is beyond the limit until there is room', async () => {
    const limit = new AdaptiveLimit(2);
    await limit.acquire(noWait);
    await limit.acquire(noWait);
    let third = false;
    const waiting = limit.acquire(noWait).then(() => {
      third = true;
    });
    await Promise.resolve();
    expect(third).toBe(false);
    limit.release();
    await waiting;
    expect(third).toBe(true);
  });

  it('halves once an event, never below 1', () => {
    let time = 0;
    const limit = new AdaptiveLimit(8, () => time);
    limit.overloaded();
    limit.overloaded();
    expect(limit.current).toBe(4);
    for (let i = 0; i < 9; i++) {
      time += 2000;
      limit.overloaded();
    }
    expect(limit.current).toBe(1);
  });

  it('grows by about one a round of successes, never above what the user set', () => {
    const limit = new AdaptiveLimit(8, () => 0);
    limit.overloaded();
    for (let i = 0; i < 5; i++) limit.succeeded();
    expect(limit.current).toBe(5);
    for (let i = 0; i < 100; i++) limit.succeeded();
    expect(limit.current).toBe(8);
  });

  it('begins nothing while the server wants to be left alone', async () => {
    let time = 1000;
    const waits: number[] = [];
    const wait = async (ms: number) => {
      waits.push(ms);
      time += ms;
    };
    const limit = new AdaptiveLimit(4, () => time);
    limit.overloaded(700);
    limit.overloaded(300);
    for (let i = 0; i < 2; i++) await limit.acquire(wait);
    expect(waits).toEqual([700]);
    expect(limit.current).toBe(2);
  });

  it('begins no more than the server still takes, then waits for the reset, and is as wide as before', async () => {
    let time = 0;
    const waits: number[] = [];
    const wait = async (ms: number) => {
      waits.push(ms);
      time += ms;
    };
    const limit = new AdaptiveLimit(8, () => time);
    await limit.acquire(wait);
    limit.left('requests', 3, 5000);
    limit.left('tokens', 2, 900);
    for (let i = 0; i < 2; i++) await limit.acquire(wait);
    expect(waits).toEqual([]);
    await limit.acquire(wait);
    expect(waits).toEqual([900]);
    await limit.acquire(wait);
    expect(waits).toEqual([900, 4100]);
    expect(limit.current).toBe(8);
  });

  it('takes what is in flight off what the server says is left', async () => {
    const limit = new AdaptiveLimit(8, () => 0);
    for (let i = 0; i < 4; i++) await limit.acquire(noWait);
    limit.left('requests', 3, 5000);
    const waits: number[] = [];
    await limit.acquire(async (ms) => void waits.push(ms));
    expect(waits).toEqual([5000]);
  });

  it('ends a pause when stopped', async () => {
    const limit = new AdaptiveLimit(1, () => 0);
    limit.overloaded(60_000);
    await limit.acquire(() => Promise.reject(new Error('stopped')));
  });
});
