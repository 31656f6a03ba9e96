/** A provider on a bad day: storms of 429, errors, broken and dripping connections, refusals, answers out of order. */

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ChatMessage } from '../src/stage/stage.ts';
import { type LabelerAnswer, labelerAnswer } from './labeler.ts';

export interface HostileProvider {
  baseUrl: string;
  /** Requests that arrived. */
  requests(): number;
  /** Idempotency keys in order of arrival. */
  keys: string[];
  /** What the provider did to how many requests. */
  faults: ReadonlyMap<string, number>;
  /** Times each key was answered and, by the provider's books, charged. */
  charged: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

/** Tries of a request that may go wrong in passing: a client that tries once more gets through. */
const BAD_TRIES = 3;

/** Every so many requests a storm begins; it lasts for so many. */
const STORM_EVERY = 600;
const STORM_LENGTH = 60;

/** Longest wait of an answer, so that answers come back in another order than they were asked for. */
const SHUFFLE_MS = 12;

type Fault = 'error-500' | 'cut-off' | 'silence' | 'truncated' | 'reset' | 'duplicate' | 'drip' | 'endless-drip';
const FAULTS: readonly Fault[] = [
  'error-500',
  'cut-off',
  'silence',
  'truncated',
  'reset',
  'duplicate',
  'drip',
  'endless-drip',
];

/** Share of tries with each of FAULTS. */
const FAULT_SHARE = 0.015;

/**
 * Starts the provider on a free port. What it does depends on the request's key, the number of its try and, for storms, on how
 * many requests came before.
 *
 * @param calm only what belongs to the request itself (refusals, bad requests), nothing in passing
 */
export async function startHostileProvider({ calm = false } = {}): Promise<HostileProvider> {
  const keys: string[] = [];
  const faults = new Map<string, number>();
  const charged = new Map<string, number>();
  const tries = new Map<string, number>();
  const count = (map: Map<string, number>, name: string) => map.set(name, (map.get(name) ?? 0) + 1);
  let open = true;

  const server = createServer(async (request, response) => {
    response.on('error', () => {});
    let text = '';
    try {
      for await (const chunk of request) text += String(chunk);
    } catch {
      return;
    }
    const key = String(request.headers['idempotency-key']);
    const attempt = tries.get(key) ?? 0;
    tries.set(key, attempt + 1);
    const { messages } = JSON.parse(text) as { messages: ChatMessage[] };
    const own = ownFault(key);
    const number = keys.push(key);
    if (own === 'bad-request') {
      count(faults, own);
      return send(response, 400, { error: { message: 'content policy', code: 'content_filter' } });
    }
    const charge = () => count(charged, key);
    const whole = JSON.stringify(completion(labelerAnswer(key, messages), own === 'refusal'));
    const passing = calm || attempt >= BAD_TRIES ? undefined : passingFault(key, attempt, number);
    if (passing !== undefined) count(faults, passing);
    if (own !== undefined) count(faults, own);
    if (!calm) await sleep(share(key, 6) * SHUFFLE_MS);
    if (!open) return;
    switch (passing) {
      case 'storm':
        return send(response, 429, { error: { message: 'slow down' } }, { 'retry-after-ms': '20' });
      case 'error-500':
        return send(response, 500, { error: { message: 'upstream' } });
      case 'reset':
        return void response.socket?.destroy();
      case 'silence':
        return;
      case 'cut-off':
        charge();
        begin(response, { 'content-length': String(Buffer.byteLength(whole)) });
        return void response.write(whole.slice(0, whole.length / 2), () => response.socket?.destroy());
      case 'truncated':
        charge();
        begin(response);
        return void response.end(whole.slice(0, whole.length / 2));
      case 'duplicate':
        // The answer twice in one body, as gateways that retry by themselves have sent it.
        charge();
        begin(response);
        return void response.end(whole + whole);
      case 'endless-drip':
        begin(response);
        while (open && !response.destroyed) {
          response.write(' ');
          await sleep(50);
        }
        return;
      case 'drip':
        charge();
        begin(response);
        for (let at = 0; at < whole.length; at += 200) {
          response.write(whole.slice(at, at + 200));
          await sleep(2);
        }
        return void response.end();
      default:
        charge();
        begin(response);
        response.end(whole);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests: () => keys.length,
    keys,
    faults,
    charged,
    close: () =>
      new Promise((resolve) => {
        open = false;
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What this request meets whenever it is asked. */
function ownFault(key: string): 'bad-request' | 'refusal' | undefined {
  const drawn = share(key, 7);
  return drawn < 0.005 ? 'bad-request' : drawn < 0.01 ? 'refusal' : undefined;
}

function passingFault(key: string, attempt: number, number: number): Fault | 'storm' | undefined {
  if (number % STORM_EVERY >= STORM_EVERY - STORM_LENGTH) return 'storm';
  return FAULTS[Math.floor(share(key, attempt) / FAULT_SHARE)];
}

/** A number in [0, 1) from the n-th word of a hex key. */
function share(key: string, n: number): number {
  return Number.parseInt(key.slice(8 * n, 8 * n + 8), 16) / 2 ** 32;
}

function completion({ text, usage }: LabelerAnswer, refused: boolean) {
  const message = refused
    ? { role: 'assistant', content: null, refusal: 'I cannot help with that.' }
    : { role: 'assistant', content: text };
  return { model: 'fake', choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
}

function begin(response: ServerResponse, headers: Record<string, string> = {}): void {
  response.writeHead(200, { 'content-type': 'application/json', ...headers });
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}
