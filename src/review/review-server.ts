/** The local server of a review: one page and its ratings, for whoever holds the token, on this machine alone. */

import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { z } from 'zod';
import { errorMessage, UserError } from '../foundation/errors.ts';
import type { ReviewSession } from './review-session.ts';

const LOOPBACK = '127.0.0.1';

/** A rating has some 60 bytes. */
const MOST_BYTES = 4096;

/** Pages of other origins cannot set it without asking this server first, which answers no such question. */
const TOKEN_HEADER = 'x-review-token';

const ratingBody = z.strictObject({
  id: z.string(),
  answer: z.union([z.literal(1), z.literal(2), z.literal(3), z.literal(4), z.literal(5), z.literal('skip'), z.null()]),
});

export interface ReviewServer {
  /** With the token: whoever has it can read the texts and rate. */
  url: string;
  /** Ends open connections; resolves when the port is free. */
  close(): Promise<void>;
}

export interface ReviewServerSettings {
  session: ReviewSession;
  /** The whole page, and its Content-Security-Policy. */
  page: { html: string; policy: string };
  token: string;
  /** 0: any that is free. */
  port: number;
}

/** @throws UserError where the port cannot be had */
export async function startReviewServer(settings: ReviewServerSettings): Promise<ReviewServer> {
  const server = createServer((request, response) => {
    answerRequest(request, response, settings, (server.address() as AddressInfo).port).catch((error: unknown) => {
      const status = error instanceof Refusal ? error.status : 500;
      send(response, status, { error: errorMessage(error) });
    });
  });
  await listen(server, settings.port);
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://${LOOPBACK}:${port}/?token=${settings.token}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) =>
      reject(
        new UserError(
          `Cannot listen on ${LOOPBACK}:${port}: ${error.message}`,
          'Leave --port out, or give another one',
          {
            cause: error,
          },
        ),
      ),
    );
    server.listen(port, LOOPBACK, resolve);
  });
}

class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

async function answerRequest(
  request: IncomingMessage,
  response: ServerResponse,
  { session, page, token }: ReviewServerSettings,
  port: number,
): Promise<void> {
  checkOrigin(request, port);
  const url = new URL(request.url ?? '/', `http://${LOOPBACK}:${port}`);
  const given = url.pathname === '/' ? url.searchParams.get('token') : request.headers[TOKEN_HEADER];
  if (!isToken(given, token))
    throw new Refusal(403, 'The token is missing or wrong: open the address mga review printed');
  const route = `${request.method} ${url.pathname}`;
  if (route === 'GET /') {
    response.writeHead(200, {
      ...HEADERS,
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': page.policy,
    });
    response.end(page.html);
  } else if (route === 'GET /review') send(response, 200, { ...session.view, ...session.state });
  else if (route === 'GET /state') send(response, 200, session.state);
  else if (route === 'POST /ratings') {
    const { id, answer } = await readRating(request);
    if (!session.has(id)) throw new Refusal(404, 'There is no such text in this review');
    await session.answer(id, answer);
    send(response, 200, session.state);
  } else throw new Refusal(404, 'There is nothing here');
}

/** The name in `Host` keeps out pages that had their own name point here (DNS rebinding); the other two say what page sent the request. */
function checkOrigin({ headers }: IncomingMessage, port: number): void {
  const hosts = [`${LOOPBACK}:${port}`, `localhost:${port}`];
  if (!hosts.includes(headers.host ?? '')) throw new Refusal(403, 'This server answers to its own address only');
  if (headers.origin !== undefined && !hosts.some((host) => headers.origin === `http://${host}`)) {
    throw new Refusal(403, 'This server answers its own page only');
  }
  const site = headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new Refusal(403, 'This server answers its own page only');
  }
}

function isToken(given: string | string[] | undefined | null, token: string): boolean {
  if (typeof given !== 'string') return false;
  const [a, b] = [Buffer.from(given), Buffer.from(token)];
  return a.length === b.length && timingSafeEqual(a, b);
}

async function readRating(request: IncomingMessage): Promise<z.output<typeof ratingBody>> {
  if (!/^application\/json\b/.test(request.headers['content-type'] ?? '')) throw new Refusal(415, 'A rating is JSON');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new Refusal(413, 'No rating is that long');
    chunks.push(chunk);
  }
  try {
    return ratingBody.parse(JSON.parse(Buffer.concat(chunks).toString('utf8')));
  } catch {
    throw new Refusal(400, 'A rating is {"id", "answer": 1..5, "skip" or null}');
  }
}

const HEADERS = {
  'cache-control': 'no-store',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
};

function send(response: ServerResponse, status: number, value: unknown): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(status, { ...HEADERS, 'content-type': 'application/json; charset=utf-8' });
  response.end(JSON.stringify(value));
}
