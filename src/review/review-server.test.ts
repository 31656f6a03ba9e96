import { mkdtempSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger } from '../store/ledger.ts';
import { indexLedger } from '../store/ledger-index.ts';
import type { ReviewOutput } from './review-outputs.ts';
import { reviewPage } from './review-page.ts';
import { type ReviewServer, startReviewServer } from './review-server.ts';
import { ReviewSession, type ReviewState, type ReviewView } from './review-session.ts';

const TOKEN = 'token-of-the-test';

const outputs = ['teacher', 'base', 'student-w8a8'].flatMap((arm) =>
  [1, 2].map(
    (k): ReviewOutput => ({
      key: `key ${arm} ${k}`,
      arm,
      model: `model of ${arm}`,
      stage: 'reformulate',
      docId: 'd',
      item: `d/${k}`,
      genre: `genre ${k}`,
      audience: 'those who mill',
      text: `Words ${arm.length} ${k}.`,
      judged: 3,
    }),
  ),
);

let folder: string;
let ledger: Ledger;
let server: ReviewServer;

async function open(rater = 'ann'): Promise<void> {
  ledger = await Ledger.open(folder);
  const documents = new Map([['d', { id: 'd', title: 'The mill', text: 'A mill on the Aller.' }]]);
  const append = (line: Parameters<Ledger['append']>[0]) => ledger.append(line);
  const session = new ReviewSession({
    sample: outputs,
    documents,
    rater,
    seed: 1,
    earlier: ledger.index.ratings,
    append,
  });
  server = await startReviewServer({
    session,
    page: reviewPage({ name: 'run', rubric: '5: good. 4: less.' }),
    token: TOKEN,
    port: 0,
  });
}

async function close(): Promise<void> {
  await server.close();
  await ledger.close();
}

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mga-review-'));
  await open();
});

afterEach(async () => {
  await close();
  rmSync(folder, { recursive: true });
});

const at = (path: string) => new URL(path, server.url).href;
const headers = { 'x-review-token': TOKEN, 'content-type': 'application/json' };
const rate = (id: string, answer: unknown, more: object = {}) =>
  fetch(at('/ratings'), { method: 'POST', headers: { ...headers, ...more }, body: JSON.stringify({ id, answer }) });
const view = async () => (await (await fetch(at('/review'), { headers })).json()) as ReviewView & ReviewState;
const idsOf = ({ screens }: ReviewView) => screens.flatMap(({ texts }) => texts.map(({ id }) => id));
const ratings = async () => (await indexLedger(folder)).ratings;

/** The status of a request with headers that fetch would set itself. */
function statusWith(given: Record<string, string>, path = '/state'): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(at(path), { headers: { ...headers, ...given } }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    sent.on('error', reject);
    sent.end();
  });
}

describe('the review server', () => {
  it('listens on the loopback address alone, and gives the page to who has the token', async () => {
    expect(new URL(server.url).hostname).toBe('127.0.0.1');
    const page = await fetch(server.url);
    expect(page.status).toBe(200);
    expect(await page.text()).toContain('<title>run: review</title>');
    expect(page.headers.get('content-security-policy')).toMatch(
      /default-src 'none'; script-src 'sha256-.*connect-src 'self'.*frame-ancestors 'none'/,
    );
    expect(page.headers.get('cache-control')).toBe('no-store');
  });

  it('refuses everything without the token, or with a wrong one', async () => {
    for (const path of ['/', '/?token=', '/?token=wrong', '/review', '/state', '/review?token=token-of-the-test']) {
      expect((await fetch(at(path))).status).toBe(403);
    }
    const wrong = { 'x-review-token': 'token-of-the-tesT' };
    expect((await fetch(at('/state'), { headers: wrong })).status).toBe(403);
    expect((await rate(idsOf(await view())[0]!, 4, wrong)).status).toBe(403);
    expect(await ratings()).toEqual([]);
  });

  it('refuses other names and other pages, whatever token they have', async () => {
    const { port } = new URL(server.url);
    expect(await statusWith({})).toBe(200);
    expect(await statusWith({ host: `localhost:${port}` })).toBe(200);
    expect(await statusWith({ host: `evil.example:${port}` })).toBe(403);
    expect(await statusWith({ host: '127.0.0.1:1' })).toBe(403);
    expect(await statusWith({ host: `evil.example:${port}` }, `/?token=${TOKEN}`)).toBe(403);
    expect(await statusWith({ origin: 'https://evil.example' })).toBe(403);
    expect(await statusWith({ origin: `http://127.0.0.1:${port}` })).toBe(200);
    expect(await statusWith({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    expect(await statusWith({ 'sec-fetch-site': 'same-site' })).toBe(403);
    // No answer to a preflight: another page's script cannot send the token's header.
    const preflight = await fetch(at('/ratings'), {
      method: 'OPTIONS',
      headers: { origin: `http://127.0.0.1:${port}` },
    });
    expect([preflight.status, preflight.headers.get('access-control-allow-origin')]).toEqual([403, null]);
  });

  it('tells nothing of arms, models and scores', async () => {
    const text = JSON.stringify(await view());
    expect(text).toContain('A mill on the Aller.');
    expect(text).not.toMatch(/teacher|base|student|w8a8|model of|judged|key /);
  });

  it('shows texts of one input together, at most two, mixed between the sides', async () => {
    const { screens } = await view();
    expect(screens.map(({ genre, texts }) => [genre, texts.length])).toEqual([
      ['genre 1', 2],
      ['genre 1', 1],
      ['genre 2', 2],
      ['genre 2', 1],
    ]);
    const inputs = Array.from({ length: 20 }, (_, i) =>
      outputs.slice(0, 4).map((output) => ({ ...output, key: `${output.key} ${i}`, item: `d/${i}` })),
    ).flat();
    const documents = new Map([['d', { id: 'd', text: 'A mill.' }]]);
    const settings = { sample: inputs, documents, rater: 'ann', seed: 1, earlier: [], append: async () => {} };
    const left = new ReviewSession(settings).view.screens.map(({ texts }) => texts[0]!.text);
    for (const { text } of outputs.slice(0, 4)) expect(left.filter((one) => one === text).length).toBeGreaterThan(2);
  });

  it('writes a rating once, however often it is sent, and a changed one again: the last counts, all are kept', async () => {
    const [first, second] = idsOf(await view()) as [string, string];
    const replies = await Promise.all([rate(first, 4), rate(first, 4), rate(first, 4)]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    await rate(second, 'skip');
    const state = (await (await rate(first, 2)).json()) as ReviewState;
    expect(state).toEqual({
      total: 6,
      answers: [
        [second, 'skip'],
        [first, 2],
      ],
    });
    expect((await ratings()).map(({ score, skipped, rater }) => [score, skipped, rater])).toEqual([
      [4, undefined, 'ann'],
      [null, true, 'ann'],
      [2, undefined, 'ann'],
    ]);
    const line = (await ratings())[0]!;
    expect(outputs.find(({ key }) => key === line.key)).toMatchObject({
      arm: line.arm,
      item: line.item,
      model: line.model,
    });
  });

  it('goes on where it ended, for each rater alone', async () => {
    const before = await view();
    const [first, second, third] = idsOf(before) as [string, string, string];
    await rate(first, 5);
    await rate(second, 1);
    await rate(third, 3);
    await rate(second, null);
    await close();
    await open();
    const after = await view();
    expect(after.screens).toEqual(before.screens);
    expect(after.answers).toEqual([
      [first, 5],
      [third, 3],
    ]);
    await close();
    await open('bob');
    expect((await view()).answers).toEqual([]);
  });

  it('refuses what is no rating, with words', async () => {
    const id = idsOf(await view())[0]!;
    for (const answer of [0, 6, 2.5, '4', undefined, {}]) expect((await rate(id, answer)).status).toBe(400);
    const unknown = await rate('nobody', 4);
    expect([unknown.status, await unknown.json()]).toEqual([404, { error: 'There is no such text in this review' }]);
    expect((await rate(id, 4, { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await rate('x'.repeat(5000), 4)).status).toBe(413);
    expect((await fetch(at('/ledger'), { headers })).status).toBe(404);
    expect(await ratings()).toEqual([]);
  });
});
