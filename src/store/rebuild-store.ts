/** Fills store.duckdb: calls from the ledger, everything else from what the stages made of it. */

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Database, openStore } from './database.ts';
import { jsonTable, withJsonRows } from './json-rows.ts';

export interface StoreContents {
  /** Folder of the ledger's *.jsonl files. */
  ledger: string;
  documents: { id: string; split: string | null; title?: string; domain?: string; text: string }[];
  scores: { text_id: string; doc_id: string | null; repeat: number; score: number; analysis: string }[];
  samples: {
    id: string;
    round: number;
    stage: string;
    split: string;
    doc_id: string;
    genre?: string;
    audience?: string;
    score?: number;
    text: string;
  }[];
  decisions: {
    sample_id: string;
    round: number;
    stage: string;
    kept: boolean;
    rule?: string;
    reason?: string;
  }[];
}

/** Replaces everything in the store at `path` (made if absent) in one transaction. */
export async function rebuildStore(path: string, contents: StoreContents): Promise<void> {
  const database = await openStore(path);
  try {
    await database.transaction(async () => {
      await fillCalls(database, contents.ledger);
      for (const table of ['documents', 'scores', 'samples', 'decisions'] as const) {
        await replaceRows(database, table, contents[table]);
      }
    });
    await database.run('checkpoint');
  } finally {
    database.close();
  }
}

async function replaceRows(database: Database, table: string, rows: readonly object[]): Promise<void> {
  await database.run(`delete from ${table}`);
  const described = await database.query<{ column_name: string; column_type: string }>(`describe ${table}`);
  const columns = Object.fromEntries(described.map(({ column_name, column_type }) => [column_name, column_type]));
  await withJsonRows(rows, columns, (source) => database.run(`insert into ${table} by name select * from ${source}`));
}

const LEDGER_COLUMNS = {
  type: 'VARCHAR',
  key: 'VARCHAR',
  item: 'VARCHAR',
  stage: 'VARCHAR',
  docId: 'VARCHAR',
  model: 'VARCHAR',
  provider: 'VARCHAR',
  promptVersion: 'VARCHAR',
  messages: 'JSON',
  params: 'JSON',
  text: 'VARCHAR',
  finishReason: 'VARCHAR',
  usage: 'STRUCT(promptTokens INTEGER, completionTokens INTEGER)',
  usd: 'DOUBLE',
  latencyMs: 'DOUBLE',
  reason: 'VARCHAR',
  final: 'BOOLEAN',
  at: 'VARCHAR',
};

/** Replaces the calls by those of the ledger. A torn last line is passed over, as the ledger itself does on opening. */
export async function fillCalls(database: Database, ledger: string): Promise<void> {
  await database.run('delete from calls');
  if (!existsSync(ledger) || !readdirSync(ledger).some((name) => name.endsWith('.jsonl'))) return;
  const lines = jsonTable(join(ledger, '*.jsonl'), LEDGER_COLUMNS, { torn: true });
  const answer = (column: string) => `arg_max(${column}, "at") filter (type = 'response')`;
  // Who answered, else who was asked last.
  const who = (column: string) =>
    `case when count(*) filter (type = 'response') > 0 then ${answer(column)} else arg_max(${column}, "at") end`;
  await database.run(`
    insert into calls by name
    select key, item, any_value(stage) as stage, any_value(docId) as doc_id, ${who('model')} as model,
      ${who('provider')} as provider, any_value(promptVersion) as prompt_version,
      case when count(*) filter (type = 'response') > 0 then 'answered'
        when count(*) filter (type = 'failure' and final) > 0 then 'failed' else 'unanswered' end as state,
      count(*) filter (type = 'sent') as sent,
      ${answer('messages')} as messages, ${answer('params')} as params, ${answer('text')} as text,
      ${answer('finishReason')} as finish_reason, ${answer('usage.promptTokens')} as prompt_tokens,
      ${answer('usage.completionTokens')} as completion_tokens, sum(usd) filter (type = 'response') as usd,
      ${answer('latencyMs')} as latency_ms, arg_max(reason, "at") filter (type = 'failure') as failure, max("at") as last_at
    from ${lines} where key is not null and item is not null and type <> 'rating'
    group by key, item order by min("at"), key, item`);
}
