/** What the tests of collect share: small recipes on the quickstart data, and the table of a recording for the fake server. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { collect } from '../src/collect/collect.ts';
import { type Collected, readCollected } from '../src/collect/collected.ts';
import type { RunEvent } from '../src/foundation/events.ts';
import { type RunFolder, runFolder } from '../src/foundation/run-folder.ts';
import { type Recipe, type RecipeInput, recipeSchema } from '../src/recipe/schema.ts';
import type { LedgerLine } from '../src/store/ledger-lines.ts';
import { readLedger } from '../src/store/ledger-read.ts';
import { conversationKey } from './fake-openai-server.ts';

export const KEY_VARIABLE = 'FAKE_OPENAI_KEY';
export const URL_VARIABLE = 'FAKE_OPENAI_URL';

/** A recipe on the first documents of the quickstart data: 5 documents are 5 pairs requests, 25 reformulations, their judgements. */
export function smallRecipe(teacher: 'recorded' | 'openai', changes: Partial<RecipeInput> = {}): Recipe {
  return recipeSchema.parse({
    name: 'collect-test',
    corpus: { path: 'data/quickstart/documents.jsonl', limit: 5 },
    splits: { file: 'data/quickstart/splits.json' },
    teacher:
      teacher === 'recorded'
        ? { kind: 'recorded', folder: 'data/quickstart' }
        : {
            kind: 'openai',
            model: 'fake',
            apiKeyEnv: KEY_VARIABLE,
            baseUrlEnv: URL_VARIABLE,
            price: { inputPerMillion: 1, outputPerMillion: 10 },
          },
    collect: { judgeTexts: 'data/quickstart/judge-texts.jsonl' },
    judge: { canaries: 0 },
    students: [{ name: 'writer', stages: ['reformulate'] }],
    ...changes,
  });
}

/** A run folder that is deleted by `done`. */
export function temporaryRun(): { folder: RunFolder; done(): void } {
  const root = mkdtempSync(join(tmpdir(), 'mga-collect-'));
  return { folder: runFolder(root), done: () => rmSync(root, { recursive: true, force: true }) };
}

/** A context that keeps its events. */
export function recordingContext(signal = new AbortController().signal) {
  const events: RunEvent[] = [];
  return { events, context: { emit: (event: RunEvent) => void events.push(event), signal } };
}

/** What the recorded teacher answers to the small recipe: the outcome, and the server's table of the same answers. */
export async function recordedOutcome(changes: Partial<RecipeInput> = {}) {
  const { folder, done } = temporaryRun();
  const recipe = smallRecipe('recorded', changes);
  try {
    await collect(recipe, folder, recordingContext().context);
    const answers = new Map<string, string>();
    for (const line of await ledgerLines(folder)) {
      if (line.type === 'response') answers.set(conversationKey(line.messages), line.text);
    }
    return { answers, outcome: comparable(await readCollected(recipe, folder)) };
  } finally {
    done();
  }
}

/** The parts of a collection that must not depend on how it was collected. */
export function comparable({ documents, splits, pairs, texts, judgements, failures, missing }: Collected) {
  return { documents, splits, pairs, texts, judgements, failures, missing };
}

export async function ledgerLines(folder: RunFolder): Promise<LedgerLine[]> {
  const lines: LedgerLine[] = [];
  for await (const { line } of readLedger(folder.ledger)) lines.push(line);
  return lines;
}
