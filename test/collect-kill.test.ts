/** Collect is killed at random points and run again: no response that was on disk is asked, or paid, again. */

import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { renderStatus, runStatus } from '../src/cli/run-status.ts';
import { collect } from '../src/collect/collect.ts';
import { readCollected } from '../src/collect/collected.ts';
import { randomStream } from '../src/foundation/random.ts';
import type { RunFolder } from '../src/foundation/run-folder.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import {
  comparable,
  KEY_VARIABLE,
  ledgerLines,
  recordedOutcome,
  recordingContext,
  smallRecipe,
  temporaryRun,
  URL_VARIABLE,
} from './collect-setup.ts';
import { type FakeServer, startFakeOpenai } from './fake-openai-server.ts';

const KILLS = 3;

it('collect() survives kill -9: nothing synced is asked again, and the outcome is that of an undisturbed run', async () => {
  const { answers, outcome } = await recordedOutcome();
  const server = await startFakeOpenai(answers, () => ({ kind: 'slow', ms: 15 }));
  const { folder, done } = temporaryRun();
  const recipe = smallRecipe('openai', {
    collect: { judgeTexts: 'data/quickstart/judge-texts.jsonl', concurrency: 4 },
  });
  const random = randomStream('collect-kill');
  try {
    const syncedAtKill: { keys: Set<string>; requests: number }[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      // The stages have 5, 25 and some 27 requests: each kill falls on another of them.
      await killAfter(server, server.requests.length + 3 + random.integer(12), recipe, folder);
      const lines = await ledgerLines(folder);
      const keys = new Set(lines.filter((line) => line.type === 'response').map((line) => line.key));
      syncedAtKill.push({ keys, requests: server.requests.length });
    }
    // What a kill in the middle of a write leaves behind.
    appendFileSync(join(folder.ledger, '000003.jsonl'), '{"type":"response","key":"torn');

    // The status names them, before anything is asked again.
    const report = await runStatus(folder);
    expect(report.possiblyCharged.length).toBeGreaterThan(0);
    const named = renderStatus(report);
    expect(named).toContain(`Sent but never answered, possibly charged: ${report.possiblyCharged.length}`);
    for (const { stage, item } of report.possiblyCharged.slice(0, 10)) {
      expect(named).toContain(`${stage} ${item} to fake at `);
    }

    process.env[KEY_VARIABLE] = 'test-key';
    process.env[URL_VARIABLE] = server.baseUrl;
    const { events, context } = recordingContext();
    await collect(recipe, folder, context);
    expect(comparable(await readCollected(recipe, folder))).toEqual(outcome);

    expect(syncedAtKill.at(-1)!.keys.size).toBeGreaterThan(0);
    for (const { keys, requests } of syncedAtKill) {
      const askedLater = server.requests.slice(requests).map((request) => request.key);
      expect(askedLater.filter((key) => keys.has(key))).toEqual([]);
    }
    // At most the requests in flight at a kill are asked twice.
    const repeated = server.requests.length - new Set(server.requests.map((request) => request.key)).size;
    expect(repeated).toBeLessThanOrEqual(KILLS * recipe.collect.concurrency);

    const warnings = events.flatMap((event) => (event.type === 'log' ? [event.message] : []));
    expect(warnings.some((message) => message.includes('cut off'))).toBe(true);
    expect(warnings.some((message) => message.includes('possibly charged'))).toBe(true);
  } finally {
    delete process.env[KEY_VARIABLE];
    delete process.env[URL_VARIABLE];
    await server.close();
    done();
  }
});

/** Runs collect in a process of its own and kills it when the server has seen `count` requests. */
async function killAfter(server: FakeServer, count: number, recipe: Recipe, folder: RunFolder): Promise<void> {
  const child: ChildProcess = spawn(
    process.execPath,
    ['--import', 'tsx', 'test/collect-child.ts', JSON.stringify(recipe), folder.root],
    {
      env: { ...process.env, [KEY_VARIABLE]: 'test-key', [URL_VARIABLE]: server.baseUrl },
      stdio: ['ignore', 'ignore', 'inherit'],
    },
  );
  const ended = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  while (server.requests.length < count && child.exitCode === null) {
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(child.exitCode, 'the child must not end by itself').toBe(null);
  child.kill('SIGKILL');
  await ended;
}
