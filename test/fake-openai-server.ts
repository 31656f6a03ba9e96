/** A local OpenAI-compatible chat server for tests: answers from a table, counts what it is asked, misbehaves on demand. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { contentHash } from '../src/foundation/hash.ts';
import type { ChatMessage } from '../src/stage/stage.ts';

export type Misbehaviour =
  | { kind: 'status'; status: number; headers?: Record<string, string>; code?: string }
  /** 200 with a body that is no JSON. */
  | { kind: 'garbage' }
  /** 200 whose body ends in the middle, the connection with it. */
  | { kind: 'cut-off' }
  /** The connection is closed without a word. */
  | { kind: 'reset' }
  | { kind: 'slow'; ms: number }
  /** A good answer with these headers. */
  | { kind: 'headers'; headers: Record<string, string> };

export interface FakeRequest {
  /** The idempotency key. */
  key: string;
  authorization: string;
  /** Name of the JSON Schema that came along. */
  schema: string | undefined;
  answered: boolean;
}

/** What the server does to a request; `count` is its number, from 0. */
export type Misbehave = (count: number, request: FakeRequest) => Misbehaviour | undefined;

export interface FakeServer {
  baseUrl: string;
  /** In order of arrival. */
  requests: FakeRequest[];
  /** Most requests that were open at once. */
  mostAtOnce(): number;
  close(): Promise<void>;
}

/** The table's index of a conversation. */
export function conversationKey(messages: readonly ChatMessage[]): string {
  return contentHash(messages);
}

/**
 * Starts the server on a free port.
 *
 * @param answers response texts by conversationKey, or a function of what is asked
 */
export async function startFakeOpenai(
  answers: ReadonlyMap<string, string> | ((body: ChatBody) => FakeAnswer),
  misbehave: Misbehave = () => undefined,
): Promise<FakeServer> {
  const requests: FakeServer['requests'] = [];
  let open = 0;
  let most = 0;
  const server = createServer(async (request, response) => {
    most = Math.max(most, ++open);
    response.on('close', () => open--);
    // The list of models, which is not counted among what is asked.
    if (request.method === 'GET') {
      return send(response, 200, { object: 'list', data: [{ id: 'fake', object: 'model' }] });
    }
    const body = JSON.parse(await readBody(request)) as ChatBody;
    const entry: FakeRequest = {
      key: String(request.headers['idempotency-key']),
      authorization: String(request.headers.authorization),
      schema: body.response_format?.json_schema.name,
      answered: false,
    };
    const fault = misbehave(requests.push(entry) - 1, entry);
    if (fault?.kind === 'slow') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    else if (fault !== undefined && fault.kind !== 'headers') return fail(response, fault);
    const known = typeof answers === 'function' ? answers(body) : answers.get(conversationKey(body.messages));
    if (known === undefined) return fail(response, { kind: 'status', status: 400 });
    const answer = typeof known === 'string' ? { text: known } : known;
    entry.answered = true;
    send(response, 200, completion(body.model, answer), fault?.kind === 'headers' ? fault.headers : {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    requests,
    mostAtOnce: () => most,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

export interface ChatBody {
  model: string;
  messages: ChatMessage[];
  logprobs?: boolean;
  top_logprobs?: number;
  response_format?: { json_schema: { name: string } };
}

/** Undefined is refused. */
export type FakeAnswer = string | { text: string; logprobs?: unknown; usage?: FakeUsage } | undefined;

interface FakeUsage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
  prompt_tokens_details?: { cached_tokens: number };
}

const USAGE: FakeUsage = { prompt_tokens: 100, completion_tokens: 10, total_tokens: 110 };

async function readBody(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}

function completion(model: string, { text, logprobs, usage = USAGE }: Exclude<FakeAnswer, string | undefined>) {
  return {
    id: 'fake',
    object: 'chat.completion',
    model,
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: text },
        finish_reason: 'stop',
        ...(logprobs ? { logprobs } : {}),
      },
    ],
    usage,
  };
}

function send(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(body));
}

function fail(response: ServerResponse, fault: Exclude<Misbehaviour, { kind: 'slow' | 'headers' }>): void {
  if (fault.kind === 'reset') response.socket?.destroy();
  else if (fault.kind === 'garbage') {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end('<html>upstream is busy</html>');
  } else if (fault.kind === 'cut-off') {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    response.write('{"choices": [{"message": {"content": "half of an ans', () => response.socket?.destroy());
  } else {
    const error = { message: `fake failure ${fault.status}`, code: fault.code ?? null, type: 'fake', param: null };
    send(response, fault.status, { error }, fault.headers);
  }
}
