/** Opening DuckDB: the run's store, which one process holds at a time, and databases in memory. */

import { type DuckDBConnection, DuckDBInstance, type DuckDBValue } from '@duckdb/node-api';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { MIGRATIONS, type Migration } from './migrations.ts';

export interface Database {
  /** Runs statements that return nothing of interest. */
  run(sql: string, parameters?: Record<string, DuckDBValue>): Promise<void>;
  /** The rows of a query, as plain objects keyed by column; lists and structs as arrays and objects, wide integers as texts. */
  query<T>(sql: string, parameters?: Record<string, DuckDBValue>): Promise<T[]>;
  /** The rows of a query in batches, as they come; values as in `query`. */
  stream(sql: string): AsyncIterable<Record<string, unknown>[]>;
  /** Runs `work` in a transaction: all of it counts, or nothing. */
  transaction(work: () => Promise<void>): Promise<void>;
  close(): void;
}

/**
 * Opens the store at `path`, making or migrating it. Close it soon: while it is open no other process can open it.
 *
 * @throws UserError where another process holds it, it is damaged, or a newer version wrote it
 */
export async function openStore(path: string, migrations: readonly Migration[] = MIGRATIONS): Promise<Database> {
  const database = await open(path, {});
  try {
    await migrate(database, path, migrations);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Opens an existing store for reading; any number of processes may, as long as none writes. */
export async function openStoreReadOnly(path: string): Promise<Database> {
  return open(path, { access_mode: 'READ_ONLY' });
}

/** A database in memory with the store's tables. */
export async function openMemoryStore(): Promise<Database> {
  const database = await open(':memory:', {});
  await migrate(database, ':memory:', MIGRATIONS);
  return database;
}

/** Single-quoted SQL text. */
export function sqlText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

async function open(path: string, options: Record<string, string>): Promise<Database> {
  let instance: DuckDBInstance;
  try {
    instance = await DuckDBInstance.create(path, options);
  } catch (error) {
    const message = errorMessage(error);
    if (/lock/i.test(message)) {
      const holder = message.match(/PID (\d+)/)?.[1];
      throw new UserError(
        `Cannot open ${path}: ${holder ? `process ${holder}` : 'another process'} holds it`,
        'Wait until that command has ended',
        { cause: error },
      );
    }
    throw new UserError(
      `Cannot open ${path}: ${message.split('\n')[0]}`,
      'Delete the file and run `mga curate`: it is an index over the ledger and is made again',
      { cause: error },
    );
  }
  const connection = await instance.connect();
  return {
    run: async (sql, parameters) => {
      await connection.run(sql, parameters);
    },
    query: async <T>(sql: string, parameters?: Record<string, DuckDBValue>) =>
      (await connection.runAndReadAll(sql, parameters)).getRowObjectsJson() as T[],
    stream: async function* (sql) {
      for await (const rows of (await connection.stream(sql)).yieldRowObjectJson()) yield rows;
    },
    transaction: (work) => inTransaction(connection, work),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

async function inTransaction(connection: DuckDBConnection, work: () => Promise<void>): Promise<void> {
  await connection.run('begin transaction');
  try {
    await work();
    await connection.run('commit');
  } catch (error) {
    await connection.run('rollback');
    throw error;
  }
}

async function migrate(database: Database, path: string, migrations: readonly Migration[]): Promise<void> {
  await database.run('create table if not exists migrations (number integer primary key, name varchar not null)');
  const done = await database.query<{ number: number }>('select number from migrations order by number');
  const newest = migrations.at(-1)?.number ?? 0;
  const last = done.at(-1)?.number ?? 0;
  if (last > newest) {
    throw new UserError(
      `Cannot open ${path}: a newer version made it (migration ${last}, this version knows ${newest})`,
      'Update mga-distill, or delete the file and run `mga curate` to make it again from the ledger',
    );
  }
  for (const { number, name, sql } of migrations.filter((migration) => migration.number > last)) {
    await database.transaction(async () => {
      await database.run(sql);
      await database.run('insert into migrations values ($number, $name)', { number, name });
    });
  }
}
