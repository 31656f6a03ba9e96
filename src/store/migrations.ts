/** The tables of store.duckdb, as numbered steps: a store of an older version is brought forward, never guessed at. */

export interface Migration {
  readonly number: number;
  readonly name: string;
  readonly sql: string;
}

export const MIGRATIONS: readonly Migration[] = [
  {
    number: 1,
    name: 'documents, calls, samples, scores, decisions',
    sql: `
      create table documents (id varchar not null, split varchar, title varchar, domain varchar, text varchar not null);
      -- One row a request: what was sent, and what became of it (answered, failed, unanswered).
      create table calls (
        key varchar not null, item varchar not null, stage varchar not null, doc_id varchar, model varchar,
        prompt_version varchar, state varchar not null, sent integer not null, messages json, params json, text varchar,
        finish_reason varchar, prompt_tokens integer, completion_tokens integer, usd double, latency_ms double,
        failure varchar, last_at varchar
      );
      create table samples (
        id varchar not null, round integer not null, stage varchar not null, split varchar not null, doc_id varchar not null,
        genre varchar, audience varchar, score double, text varchar not null
      );
      create table scores (text_id varchar not null, doc_id varchar, repeat integer not null, score integer not null, analysis varchar);
      -- rule and reason are null for kept samples.
      create table decisions (
        sample_id varchar not null, round integer not null, stage varchar not null, kept boolean not null, rule varchar, reason varchar
      );`,
  },
  { number: 2, name: 'provider of a call', sql: 'alter table calls add column provider varchar;' },
];
