/**
 * SFT sets as Arrow folders that Python's `datasets.load_from_disk` opens: one Arrow IPC *stream* file, state.json with all
 * seven keys the loader asks for, and dataset_info.json. The info names no features: every version of `datasets` derives
 * them from the Arrow schema, while their JSON form differs between versions.
 */

import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  Data,
  type DataType,
  Field,
  Float64,
  List,
  RecordBatch,
  RecordBatchStreamWriter,
  Schema,
  Struct,
  tableFromIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { sha256 } from '../foundation/hash.ts';
import { type SftRow, toSftRow } from './sft-row.ts';

/** Rows of a record batch: the unit Python reads at a time. */
const BATCH_ROWS = 1000;
const DATA_FILE = 'data-00000-of-00001.arrow';

const MESSAGES = new List(
  new Field('item', new Struct([new Field('role', new Utf8()), new Field('content', new Utf8())]), true),
);

const SCHEMA = new Schema([
  new Field('id', new Utf8()),
  new Field('doc_id', new Utf8()),
  new Field('stage', new Utf8()),
  new Field('prompt', MESSAGES),
  new Field('completion', MESSAGES),
  new Field('score', new Float64(), true),
  new Field('distribution', new List(new Field('item', new Float64(), true)), true),
  new Field('genre', new Utf8(), true),
  new Field('audience', new Utf8(), true),
]);

/** Writes the rows to `folder`. Equal rows give equal bytes. */
export function writeSft(folder: string, rows: readonly SftRow[]): void {
  mkdirSync(folder, { recursive: true });
  const writer = new RecordBatchStreamWriter();
  writer.reset(undefined, SCHEMA);
  // An empty set still holds one batch, of no rows: `datasets` cannot open a stream without any.
  const batches = Math.max(1, Math.ceil(rows.length / BATCH_ROWS));
  for (let i = 0; i < batches; i++) writer.write(recordBatch(rows.slice(i * BATCH_ROWS, (i + 1) * BATCH_ROWS)));
  writer.finish();
  const bytes = writer.toUint8Array(true);
  writeFileAtomic(join(folder, DATA_FILE), bytes);
  const state = {
    _data_files: [{ filename: DATA_FILE }],
    _fingerprint: sha256(bytes).slice(0, 16),
    _format_columns: null,
    _format_kwargs: {},
    _format_type: null,
    _output_all_columns: false,
    _split: null,
  };
  writeFileAtomic(join(folder, 'state.json'), JSON.stringify(state, null, 2) + '\n');
  writeFileAtomic(join(folder, 'dataset_info.json'), JSON.stringify({ description: 'SFT set' }, null, 2) + '\n');
}

function recordBatch(rows: readonly SftRow[]): RecordBatch {
  const children = SCHEMA.fields.map(({ name, type }) => {
    const values = rows.map((row) => row[name as keyof SftRow] ?? null);
    return vectorFromArray(values as unknown[], type as DataType).data[0]!;
  });
  return new RecordBatch(
    SCHEMA,
    new Data(new Struct(SCHEMA.fields), 0, rows.length, 0, undefined, children),
  ) as RecordBatch;
}

/** Reads the rows of a set written by `writeSft` or by Python's `Dataset.save_to_disk` with the same columns. */
export function readSft(folder: string): SftRow[] {
  const statePath = join(folder, 'state.json');
  if (!existsSync(statePath)) {
    throw new UserError(`Cannot read SFT set ${folder}: it has no state.json`, 'Run `mga curate` to make it');
  }
  try {
    const state = JSON.parse(readFileSync(statePath, 'utf8')) as { _data_files: { filename: string }[] };
    return state._data_files
      .flatMap(({ filename }) => tableFromIPC(readFileSync(join(folder, filename))).toArray() as unknown[])
      .map((row, i) => toSftRow(JSON.parse(JSON.stringify(row)), folder, i + 1));
  } catch (error) {
    if (error instanceof UserError) throw error;
    throw new UserError(
      `Cannot read SFT set ${folder}: ${errorMessage(error)}`,
      'Delete the folder and run `mga curate`',
    );
  }
}
