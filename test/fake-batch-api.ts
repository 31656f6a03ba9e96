/** A local Batch API for tests: files, jobs that end after some looks, results in another order, with failed and expired items. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ChatMessage } from '../src/stage/stage.ts';
import { conversationKey } from './fake-openai-server.ts';

/** What becomes of a request in a batch. `missing`: no line tells of it. */
export type Fate = 'answered' | 'error-500' | 'bad-request' | 'expired' | 'missing';

/** Moments at which a test may interfere, before the server replies. */
export type BatchMoment = 'uploaded' | 'created' | 'looked-at' | 'fetched';

interface RequestLine {
  custom_id: string;
  body: { model: string; messages: ChatMessage[]; response_format?: unknown };
}

interface Job {
  id: string;
  created_at: number;
  metadata: Record<string, string>;
  lines: RequestLine[];
  looks: number;
}

export interface FakeBatchApi {
  baseUrl: string;
  jobs: Job[];
  /** Chat requests outside batches. */
  chats: number;
  close(): Promise<void>;
}

export interface FakeBatchOptions {
  /** Of a request's n-th batch, from 0. */
  fate?(line: RequestLine, n: number): Fate;
  /** Refuses jobs as a whole. */
  problem?(job: Job): { code: string; message: string } | undefined;
  at?(moment: BatchMoment): void | Promise<void>;
  /** Looks after which a job has ended. */
  looks?: number;
}

export async function startFakeBatchApi(
  answers: ReadonlyMap<string, string>,
  { fate = () => 'answered', problem = () => undefined, at = () => {}, looks = 2 }: FakeBatchOptions = {},
): Promise<FakeBatchApi> {
  const files = new Map<string, string>();
  const jobs: Job[] = [];
  const api = { chats: 0 };

  const resultLine = (line: RequestLine, n: number): { file: 'output' | 'error'; text: string } | undefined => {
    const what = fate(line, n);
    const custom_id = line.custom_id;
    const text = answers.get(conversationKey(line.body.messages));
    const respond = (status_code: number, body: unknown) =>
      JSON.stringify({ custom_id, response: { status_code, body } });
    if (what === 'missing') return undefined;
    if (what === 'expired')
      return { file: 'error', text: JSON.stringify({ custom_id, error: { code: 'batch_expired' } }) };
    if (what === 'error-500') return { file: 'error', text: respond(500, { error: { message: 'upstream' } }) };
    if (what === 'bad-request' || text === undefined) {
      return { file: 'error', text: respond(400, { error: { message: 'refused' } }) };
    }
    const usage = { prompt_tokens: 100, completion_tokens: 10 };
    return {
      file: 'output',
      text: respond(200, { choices: [{ message: { content: text }, finish_reason: 'stop' }], usage }),
    };
  };

  const view = (job: Job) => {
    const base = { id: job.id, object: 'batch', created_at: job.created_at, metadata: job.metadata };
    const refused = problem(job);
    if (refused) return { ...base, status: 'failed', errors: { data: [refused] } };
    if (job.looks <= looks) return { ...base, status: 'in_progress' };
    const before = jobs.slice(0, jobs.indexOf(job));
    const results = job.lines.map((line) =>
      resultLine(line, before.filter(({ lines }) => lines.some((one) => one.custom_id === line.custom_id)).length),
    );
    const fileOf = (kind: 'output' | 'error') => {
      const lines = results.filter((result) => result?.file === kind).map((result) => result!.text);
      if (lines.length === 0) return undefined;
      files.set(`${kind}-${job.id}`, `${lines.reverse().join('\n')}\n`);
      return `${kind}-${job.id}`;
    };
    const expired = results.some((result) => result?.text.includes('batch_expired'));
    const status = expired ? 'expired' : 'completed';
    return { ...base, status, output_file_id: fileOf('output'), error_file_id: fileOf('error') };
  };

  const reply = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = request.url!.split('?')[0]!.replace('/v1', '');
    const body = await bytesOf(request);
    if (path === '/files') {
      const form = await new Response(new Uint8Array(body), {
        headers: { 'content-type': request.headers['content-type']! },
      }).formData();
      const id = `file-${files.size + 1}`;
      files.set(id, await (form.get('file') as File).text());
      await at('uploaded');
      return send(response, { id, object: 'file' });
    }
    if (path.startsWith('/files/')) {
      await at('fetched');
      response.writeHead(200, { 'content-type': 'application/octet-stream' });
      return void response.end(files.get(path.split('/')[2]!));
    }
    if (path === '/batches' && request.method === 'POST') {
      const { input_file_id, metadata } = JSON.parse(body.toString()) as {
        input_file_id: string;
        metadata: Record<string, string>;
      };
      const lines = files.get(input_file_id)!.trim().split('\n');
      const job = {
        id: `batch_${jobs.length + 1}`,
        created_at: Math.floor(Date.now() / 1000),
        metadata,
        lines: lines.map((line) => JSON.parse(line) as RequestLine),
        looks: 0,
      };
      jobs.push(job);
      await at('created');
      return send(response, view(job));
    }
    if (path === '/batches')
      return send(response, { object: 'list', data: [...jobs].reverse().map(view), has_more: false });
    const job = jobs.find(({ id }) => path === `/batches/${id}`);
    if (job === undefined) {
      api.chats++;
      response.writeHead(500);
      return void response.end();
    }
    job.looks++;
    await at('looked-at');
    send(response, view(job));
  };

  const server = createServer((request, response) => void reply(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    jobs,
    get chats() {
      return api.chats;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function bytesOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function send(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}
