import { describe, expect, it } from 'vitest';
import { AdaptiveLimit } from './adaptive-limit.ts';

describe('AdaptiveLimit', () => {
  it('holds back what is beyond the limit until there is room', async () => {
    const limit = new AdaptiveLimit(2);
    await limit.acquire();
    await limit.acquire();
    let third = false;
    const waiting = limit.acquire().then(() => {
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
});
