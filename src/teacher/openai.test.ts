import { describe, expect, it } from 'vitest';
import { openaiTeacher, retryAfter } from './openai.ts';

describe('retryAfter()', () => {
  const now = () => Date.parse('2025-06-01T12:00:00Z');
  const read = (headers: Record<string, string>) => retryAfter(new Headers(headers), now);

  it('reads milliseconds, seconds and dates', () => {
    expect(read({ 'retry-after-ms': '250', 'retry-after': '9' })).toBe(250);
    expect(read({ 'retry-after': '1.5' })).toBe(1500);
    expect(read({ 'retry-after': 'Sun, 01 Jun 2025 12:00:30 GMT' })).toBe(30_000);
    expect(read({ 'retry-after': 'Sun, 01 Jun 2025 11:00:00 GMT' })).toBe(0);
  });

  it('takes nonsense for no wish', () => {
    expect(read({ 'retry-after': 'soon' })).toBeUndefined();
    expect(read({ 'retry-after': '-3' })).not.toBeLessThan(0);
    expect(read({})).toBeUndefined();
  });
});

describe('openaiTeacher()', () => {
  const settings = { kind: 'openai', model: 'm', baseUrlEnv: 'URL', apiKeyEnv: 'KEY', temperature: 0 } as const;

  it('names the variable that holds no key, and never shows a key', () => {
    expect(() => openaiTeacher(settings, { timeoutMs: 1, environment: {} })).toThrow(/variable KEY is not set/);
    expect(JSON.stringify(openaiTeacher(settings, { timeoutMs: 1, environment: { KEY: 'secret' } }))).not.toContain(
      'secret',
    );
  });

  it('names the variable of a base URL that is none', () => {
    const environment = { KEY: 'k', URL: 'localhost' };
    expect(() => openaiTeacher(settings, { timeoutMs: 1, environment })).toThrow(/URL .*localhost/);
  });
});
