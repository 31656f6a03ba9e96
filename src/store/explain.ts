/** Everything a run knows of one id: what was asked, what came back, how it was scored, why it was kept or dropped, what it cost. */

import { existsSync } from 'node:fs';
import { errorMessage, UserError } from '../foundation/errors.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { ChatMessage } from '../stage/stage.ts';
import { currentRatings } from './current-ratings.ts';
import { type Database, openMemoryStore, openStoreReadOnly } from './database.ts';
import type { RatingLine } from './ledger-lines.ts';
import { readLedger } from './ledger-read.ts';
import { fillCalls } from './rebuild-store.ts';

export interface ExplainedCall {
  key: string;
  item: string;
  stage: string;
  /** The model that answered, else the one asked last, and where the teacher has several providers, which of them. */
  model: string | null;
  provider: string | null;
  prompt_version: string | null;
  state: 'answered' | 'failed' | 'unanswered';
  /** Times the request went out; more than one answer may have been charged. */
  sent: number;
  messages: ChatMessage[] | null;
  params: Record<string, unknown> | null;
  /** The raw response. */
  text: string | null;
  finish_reason: string | null;
  prompt_tokens: number | null;
  completion_tokens: number | null;
  usd: number | null;
  latency_ms: number | null;
  failure: string | null;
  last_at: string | null;
}

export interface ExplainedSample {
  id: string;
  round: number;
  stage: string;
  split: string;
  genre: string | null;
  audience: string | null;
  score: number | null;
  text: string;
  kept: boolean | null;
  rule: string | null;
  reason: string | null;
}

/** What a person said of an output; null: passed over. */
export type ExplainedRating = Pick<RatingLine, 'stage' | 'item' | 'arm' | 'model' | 'rater' | 'score' | 'at'>;

export interface Explanation {
  id: string;
  document: { id: string; split: string | null; title: string | null; domain: string | null; text: string } | null;
  calls: ExplainedCall[];
  scores: { text_id: string; repeat: number; score: number; analysis: string }[];
  samples: ExplainedSample[];
  /** By people, the last of each about each output, in the order given. */
  ratings: ExplainedRating[];
  /** US dollars of all calls above. */
  usd: number;
  /** Why decisions are missing, where the store could not be read and the ledger spoke alone. */
  note: string | null;
}

/**
 * Explains a document id (all of its samples), an item id such as `<document>/3`, the id of a judged text, or a request key.
 * While a run holds the store, and before `curate` made it, calls and prices come from the ledger alone.
 *
 * @throws UserError where the run knows no such id
 */
export async function explain(folder: RunFolder, id: string): Promise<Explanation> {
  const { database, note } = await openForReading(folder);
  try {
    const about = { id };
    const calls = await database.query<
      ExplainedCall & { messages: string | null; params: string | null; doc_id: string }
    >('select * from calls where item = $id or doc_id = $id or key = $id order by last_at, stage, item, key', about);
    const samples = await database.query<ExplainedSample & { doc_id: string }>(
      `select s.*, d.kept, d.rule, d.reason from samples s
       left join decisions d on d.sample_id = s.id and d.round = s.round and d.stage = s.stage
       where s.id = $id or s.doc_id = $id order by s.round, s.stage, s.id`,
      about,
    );
    const scores = await database.query<Explanation['scores'][number]>(
      'select text_id, repeat, score, analysis from scores where text_id = $id or doc_id = $id order by text_id, repeat',
      about,
    );
    const ratings = await ratingsOf(folder, id);
    const docId = samples[0]?.doc_id ?? calls[0]?.doc_id ?? ratings[0]?.docId ?? id;
    const [document] = await database.query<NonNullable<Explanation['document']>>(
      'select * from documents where id = $docId',
      { docId },
    );
    if (!document && [calls, samples, scores, ratings].every(({ length }) => length === 0))
      await unknown(database, folder, id);
    return {
      id,
      document: document ?? null,
      calls: calls.map(({ doc_id: _, ...call }) => ({
        ...call,
        messages: call.messages ? (JSON.parse(call.messages) as ChatMessage[]) : null,
        params: call.params ? (JSON.parse(call.params) as Record<string, unknown>) : null,
      })),
      scores,
      samples: samples.map(({ doc_id: _, ...sample }) => sample),
      ratings: ratings.map(({ type: _, key: __, docId: ___, skipped: ____, ...rating }) => rating),
      usd: calls.reduce((sum, { usd }) => sum + (usd ?? 0), 0),
      note,
    };
  } finally {
    database.close();
  }
}

/** Ratings are in the ledger alone. */
async function ratingsOf(folder: RunFolder, id: string): Promise<RatingLine[]> {
  const lines: RatingLine[] = [];
  for await (const { line } of readLedger(folder.ledger)) {
    if (line.type === 'rating' && [line.item, line.docId, line.key].includes(id)) lines.push(line);
  }
  const current = [...currentRatings(lines).values()].flatMap((byRater) => [...byRater.values()]);
  return current.sort((a, b) => (a.at < b.at ? -1 : 1));
}

async function openForReading(folder: RunFolder): Promise<{ database: Database; note: string | null }> {
  let note = 'curate has not run yet';
  if (existsSync(folder.store)) {
    try {
      return { database: await openStoreReadOnly(folder.store), note: null };
    } catch (error) {
      note = errorMessage(error);
    }
  }
  const database = await openMemoryStore();
  await fillCalls(database, folder.ledger);
  return { database, note: `${note}: from the ledger alone, without decisions` };
}

async function unknown(database: Database, folder: RunFolder, id: string): Promise<never> {
  const known = await database.query<{ item: string }>(
    'select distinct item from calls order by levenshtein(item, $id), item limit 3',
    { id },
  );
  throw new UserError(
    `Cannot explain "${id}": the run in ${folder.root} knows no document, sample or request of that id`,
    known.length > 0 ? `Nearest ids: ${known.map(({ item }) => item).join(', ')}` : 'Run `mga collect` first',
  );
}
