/** `npm run -s bench -- balance`: what `curate.balance` drops of the recorded teacher's samples. Needs the embedder. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dropBeyondBalance } from '../../src/curate/balance.ts';
import type { Decision } from '../../src/curate/decision.ts';
import { findEmbedder } from '../../src/model/embedder.ts';
import { recipeSchema } from '../../src/recipe/schema.ts';

interface PairsRow {
  doc_id: string;
  pairs: { genre: string; audience: string }[];
}

const rows = readFileSync(fileURLToPath(new URL('../../data/recorded/pairs.jsonl', import.meta.url)), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as PairsRow);
/** Every sample of the recording, as if all had been kept for training. */
const kept = () =>
  rows.flatMap(({ doc_id, pairs }) =>
    pairs.map((pair, i): Decision => {
      const id = `${doc_id}/${i + 1}`;
      const row = { id, doc_id, stage: 'reformulate', prompt: [], completion: [], ...pair };
      return { candidate: { row, split: 'train', text: '', source: '', score: null, origin: 'teacher' } };
    }),
  );
const balance = recipeSchema.shape.curate.parse({ balance: {} }).balance!;
const embedder = await findEmbedder(balance.embedder, {
  emit: (event) => event.type === 'log' && console.error(event.message),
  signal: new AbortController().signal,
});
const vectors = new Map<string, Float32Array>();

async function embed(texts: readonly string[]): Promise<Float32Array[]> {
  const missing = texts.filter((text) => !vectors.has(text));
  for (const [i, vector] of (await embedder.embed(missing)).entries()) vectors.set(missing[i]!, vector);
  return texts.map((text) => vectors.get(text)!);
}

const dropped: Record<string, number> = {};
for (const most of [balance.most, 1.5, 1.25, 1]) {
  const decisions = kept();
  await dropBeyondBalance(decisions, { ...balance, most }, 0, embed);
  const reasons = decisions.flatMap((decision) => decision.dropped?.reason ?? []);
  dropped[most] = reasons.length;
  for (const reason of new Set(reasons)) {
    console.log(`most ${most}: ${reasons.filter((one) => one === reason).length} dropped: ${reason}`);
  }
}
const { clusters } = balance;
console.log(JSON.stringify({ bench: 'balance', samples: kept().length, clusters, dropped, source: embedder.source }));
