import { describe, expect, it } from 'vitest';
import { InterruptedError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import { type AskOptions, askWithRetries, waitBefore } from './ask-with-retries.ts';
import { type Teacher, TeacherFailure, type TeacherRequest } from './teacher.ts';

const request: TeacherRequest = {
  key: 'k',
  stage: 'pairs',
  docId: 'd',
  item: 'd',
  messages: [],
  params: { temperature: 0, maxTokens: 1 },
};

/** A teacher that throws the given failures one after the other, then answers. */
function failing(...failures: TeacherFailure[]): Teacher {
  return {
    name: 't',
    kind: 'openai',
    complete: async () => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      return {
        text: 'x',
        finishReason: 'stop',
        usage: { promptTokens: 1, completionTokens: 1 },
        model: 't',
        latencyMs: 0,
      };
    },
  };
}

function options(changes: Partial<AskOptions> = {}) {
  const tries: number[] = [];
  const waits: number[] = [];
  const all: AskOptions = {
    maxAttempts: 4,
    stop: new AbortController().signal,
    cut: new AbortController().signal,
    random: randomStream(1),
    beforeTry: async (attempt) => void tries.push(attempt),
    onRetry: () => {},
    wait: async (ms) => void waits.push(ms),
    ...changes,
  };
  return { tries, waits, all };
}

const passing = () => new TeacherFailure('busy', 'retry');

describe('askWithRetries()', () => {
  it('tries again after failures that pass, announcing each try', async () => {
    const { tries, waits, all } = options();
    const asked = await askWithRetries(failing(passing(), passing()), request, all);
    expect(asked).toMatchObject({ ok: true, attempts: 3 });
    expect(tries).toEqual([1, 2, 3]);
    expect(waits.length).toBe(2);
  });

  it.each(['refuse', 'stop'] as const)('does not repeat a failure of scope %s', async (scope) => {
    const asked = await askWithRetries(failing(new TeacherFailure('no', scope)), request, options().all);
    expect(asked).toMatchObject({ ok: false, attempts: 1 });
  });

  it('gives up after maxAttempts', async () => {
    const asked = await askWithRetries(failing(...Array.from({ length: 9 }, passing)), request, options().all);
    expect(asked).toMatchObject({ ok: false, attempts: 4, failure: { message: 'busy' } });
  });

  it('begins no try once stopped, and takes the last failure for the outcome when stopped while waiting', async () => {
    const stop = new AbortController();
    const wait = async () => {
      stop.abort();
      throw new Error('aborted');
    };
    const { tries, all } = options({ stop: stop.signal, wait });
    expect(await askWithRetries(failing(passing()), request, all)).toMatchObject({ ok: false, attempts: 1 });
    await expect(askWithRetries(failing(), request, all)).rejects.toThrow(InterruptedError);
    expect(tries).toEqual([1]);
  });

  it('lets bugs through', async () => {
    const broken: Teacher = { ...failing(), complete: async () => Promise.reject(new TypeError('bug')) };
    await expect(askWithRetries(broken, request, options().all)).rejects.toThrow(TypeError);
  });
});

describe('waitBefore()', () => {
  it('doubles up to a minute, with jitter of up to a half', () => {
    for (let attempt = 1; attempt < 12; attempt++) {
      const longest = Math.min(60_000, 500 * 2 ** (attempt - 1));
      const ms = waitBefore(attempt, passing(), randomStream(attempt));
      expect(ms).toBeGreaterThanOrEqual(longest / 2);
      expect(ms).toBeLessThanOrEqual(longest);
    }
  });

  it('is never shorter than the server asked for', () => {
    const failure = new TeacherFailure('busy', 'retry', { retryAfterMs: 90_000 });
    expect(waitBefore(1, failure, randomStream(1))).toBe(90_000);
  });
});
