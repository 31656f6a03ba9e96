import { getEventListeners } from 'node:events';
import { queryObjects } from 'node:v8';
import { describe, expect, it, vi } from 'vitest';
import { startFakeOpenai } from '../../test/fake-openai-server.ts';
import { InterruptedError } from '../foundation/errors.ts';
import { openaiTeacher } from './openai.ts';
import type { TeacherRequest } from './teacher.ts';

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

  describe('of a server that answers', () => {
    const request: TeacherRequest = {
      key: 'k',
      stage: 'pairs',
      docId: 'd',
      item: 'd',
      messages: [{ role: 'user', content: 'Tell.' }],
      params: { temperature: 0, maxTokens: 10 },
    };

    it('keeps no signal of a request that was answered', async () => {
      // Counting takes a while, in which an open connection could end: first of all, and last of all.
      const before = liveSignals();
      const server = await startFakeOpenai(() => 'Told.');
      try {
        const environment = { KEY: 'k', URL: server.baseUrl };
        const teacher = openaiTeacher(settings, { timeoutMs: 600_000, environment });
        const { signal } = new AbortController();
        for (let i = 0; i < REQUESTS; i++) await teacher.complete(request, signal);
        expect(getEventListeners(signal, 'abort')).toEqual([]);
        // The client's timers let go of the last ones some moments later; a signal with a timeout would live for ten minutes.
        await vi.waitFor(() => expect(liveSignals() - before).toBeLessThan(REQUESTS / 2), {
          timeout: 20_000,
          interval: 1000,
        });
      } finally {
        await server.close();
      }
    });

    it('cuts a request off when told to, and after its time', async () => {
      const server = await startFakeOpenai(
        () => 'Told.',
        () => ({ kind: 'slow', ms: 2000 }),
      );
      try {
        const environment = { KEY: 'k', URL: server.baseUrl };
        const hurried = openaiTeacher(settings, { timeoutMs: 50, environment });
        await expect(hurried.complete(request, new AbortController().signal)).rejects.toMatchObject({
          message: 'no answer within 0.05 s',
          possiblyCharged: true,
        });
        const patient = openaiTeacher(settings, { timeoutMs: 60_000, environment });
        const controller = new AbortController();
        const asked = patient.complete(request, controller.signal);
        setTimeout(() => controller.abort(), 50);
        await expect(asked).rejects.toThrow(InterruptedError);
        await expect(patient.complete(request, AbortSignal.abort())).rejects.toThrow(InterruptedError);
      } finally {
        await server.close();
      }
    });
  });
});

/** Far more than the fifty or so that a client has not let go of yet. */
const REQUESTS = 300;

/** After a collection of garbage, which the count begins with. */
const liveSignals = () => queryObjects(AbortSignal, { format: 'count' });
