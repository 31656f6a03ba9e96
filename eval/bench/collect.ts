/** What a request costs this process: 10,000 of them against a local server, 64 at a time, ledger included. */

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { collect } from '../../src/collect/collect.ts';
import { runFolder } from '../../src/foundation/run-folder.ts';
import { recipeSchema } from '../../src/recipe/schema.ts';
import { labelerCorpus } from '../../test/labeler.ts';

/** 11 requests each: pairs, five reformulations, five judgements. Every hundredth document repeats another and asks nothing. */
const DOCUMENTS = 920;
const CHARACTERS = 3000;
const CONCURRENCY = 64;
/** Memory is first read here: by now everything is loaded and compiled. */
const WARM_REQUESTS = 1000;

const MEGABYTE = 1e6;
const residentMb = () => Math.round(process.memoryUsage.rss() / MEGABYTE);

const root = mkdtempSync(join(tmpdir(), 'mga-bench-collect-'));
const server = spawn(process.execPath, ['--import', 'tsx', join(import.meta.dirname, 'collect-server.ts')], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
try {
  const [address] = await new Promise<string[]>((resolve) =>
    createInterface(server.stdout).once('line', (line) => resolve([line])),
  );
  process.env.BENCH_URL = address;
  process.env.BENCH_KEY = 'none';
  const corpus = join(root, 'documents.jsonl');
  writeFileSync(corpus, labelerCorpus(DOCUMENTS, CHARACTERS));
  const recipe = recipeSchema.parse({
    name: 'bench-collect',
    corpus: { path: corpus },
    teacher: {
      kind: 'openai',
      model: 'bench',
      baseUrlEnv: 'BENCH_URL',
      apiKeyEnv: 'BENCH_KEY',
      price: { inputPerMillion: 1, outputPerMillion: 2 },
    },
    collect: { concurrency: CONCURRENCY },
    students: [{ name: 'writer', stages: ['reformulate'] }],
  });

  let requests = 0;
  let warmMb = 0;
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  await collect(recipe, runFolder(join(root, 'run')), {
    emit: (event) => {
      if (event.type === 'sample-made' && ++requests === WARM_REQUESTS) warmMb = residentMb();
    },
    signal: new AbortController().signal,
  });
  const seconds = (performance.now() - started) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  console.log(
    JSON.stringify({
      bench: 'collect',
      requests,
      cpu_ms_per_request: Number(((user + system) / 1000 / requests).toFixed(3)),
      rss_1000_mb: warmMb,
      rss_end_mb: residentMb(),
      requests_per_s: Math.round(requests / seconds),
    }),
  );
} finally {
  server.kill();
  rmSync(root, { recursive: true, force: true });
}
