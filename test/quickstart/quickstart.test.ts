/** The README's two commands, whole: real weights, the recorded teacher, the table. Needs `npm ci` before. */

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT } from '../source-files.ts';

/** What the README promises on two cores. */
const LIMIT_MINUTES = 25;

test('npm run quickstart ends in time without a key and prints the table', () => {
  const run = join(mkdtempSync(join(tmpdir(), 'mga-quickstart-')), 'run');
  const { OPENAI_API_KEY: _key, OPENAI_BASE_URL: _url, ...env } = process.env;
  const started = performance.now();
  const { status, stderr } = spawnSync('npm', ['run', '--silent', 'quickstart', '--', '--out', run], {
    cwd: ROOT,
    env,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const minutes = (performance.now() - started) / 60_000;
  console.log(`${stderr}\n${minutes.toFixed(1)} minutes`);
  expect(status).toBe(0);
  expect(stderr).toContain('Table 1, stage reformulate');
  const tables = JSON.parse(readFileSync(join(run, 'validation', 'table1.json'), 'utf8'));
  expect(tables.map(({ stage }: { stage: string }) => stage)).toEqual(['pairs', 'reformulate']);
  expect(minutes).toBeLessThan(LIMIT_MINUTES);
});
