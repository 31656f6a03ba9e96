import { describe, expect, it } from 'vitest';
import { LONGEST_SERVER_WAIT_MS, rateLimits, retryAfter } from './rate-headers.ts';

const now = () => Date.parse('2025-06-01T12:00:00Z');

describe('retryAfter()', () => {
  const read = (headers: Record<string, string>) => retryAfter(new Headers(headers), now);

  it('reads milliseconds, seconds and dates', () => {
    expect(read({ 'retry-after-ms': '250', 'retry-after': '9' })).toBe(250);
    expect(read({ 'retry-after': '1.5' })).toBe(1500);
    expect(read({ 'retry-after': 'Sun, 01 Jun 2025 12:00:30 GMT' })).toBe(30_000);
    expect(read({ 'retry-after': 'Sun, 01 Jun 2025 11:00:00 GMT' })).toBe(0);
  });

  it('follows no wish beyond the cap', () => {
    expect(read({ 'retry-after': '86400' })).toBe(LONGEST_SERVER_WAIT_MS);
    expect(read({ 'retry-after-ms': '1e12' })).toBe(LONGEST_SERVER_WAIT_MS);
    expect(read({ 'retry-after': 'Mon, 02 Jun 2025 12:00:00 GMT' })).toBe(LONGEST_SERVER_WAIT_MS);
  });

  it('takes nonsense for no wish', () => {
    expect(read({ 'retry-after': 'soon' })).toBeUndefined();
    expect(read({ 'retry-after': '-3' })).not.toBeLessThan(0);
    expect(read({})).toBeUndefined();
  });
});

describe('rateLimits()', () => {
  const read = (headers: Record<string, string>) => rateLimits(new Headers(headers), now);

  it('reads requests and tokens, each with its own reset', () => {
    expect(
      read({
        'x-ratelimit-limit-requests': '500',
        'x-ratelimit-remaining-requests': '3',
        'x-ratelimit-reset-requests': '1m12.5s',
        'x-ratelimit-remaining-tokens': '14000',
        'x-ratelimit-reset-tokens': '20ms',
      }),
    ).toEqual([
      { unit: 'requests', left: 3, resetMs: 72_500 },
      { unit: 'tokens', left: 14_000, resetMs: 20 },
    ]);
  });

  it.each([
    ['seconds', '7', 7000],
    ['a second of the epoch', String(now() / 1000 + 30), 30_000],
    ['a millisecond of the epoch', String(now() + 1500), 1500],
    ['a date', '2025-06-01T12:00:05Z', 5000],
    ['a day', '24h', LONGEST_SERVER_WAIT_MS],
    ['the past', String(now() / 1000 - 9), 0],
    ['nonsense', 'later', 60_000],
  ])('reads a reset in %s', (_name, reset, resetMs) => {
    expect(read({ 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset })).toEqual([
      { unit: 'requests', left: 0, resetMs },
    ]);
  });

  it('takes silence and nonsense for no limit', () => {
    expect(read({})).toEqual([]);
    expect(read({ 'x-ratelimit-remaining-requests': 'many' })).toEqual([]);
    expect(rateLimits(undefined)).toEqual([]);
  });
});
