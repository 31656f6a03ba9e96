import { describe, expect, it } from 'vitest';
import { openaiTeacher } from './openai.ts';

describe('openaiTeacher()', () => {
  const settings = {
    kind: 'openai',
    model: 'm',
    baseUrlEnv: 'URL',
    apiKeyEnv: 'KEY',
    temperature: 0,
    structured: true,
    batch: false,
  } as const;

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
