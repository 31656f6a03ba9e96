/**
 * Makes data/mga and data/quickstart from the recorded teacher in data/recorded. Repeats exactly: everything is seeded.
 *
 *     npx tsx scripts/make-quickstart-data.ts [data/recorded [data]]
 *
 * data/mga: splits and judge texts for all documents. data/quickstart: a small part of it, complete in itself; its splits are
 * parts of those of data/mga, so that nothing trained on one is validated on what the other trained on.
 */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { randomStream } from '../src/foundation/random.ts';

interface DocumentRow {
  id: string;
  text: string;
}
interface PairsRow {
  doc_id: string;
}
interface TextRow {
  id: string;
  doc_id: string;
  kind: string;
  text: string;
}
interface JudgementRow {
  text_id: string;
  doc_id: string;
  planted?: string;
}
interface StudentRow {
  id: string;
  doc_id: string;
  model: string;
  text: string;
}
interface JudgeTextRow {
  id: string;
  doc_id: string;
  text: string;
  kind: string;
  model?: string;
}
type Splits = Record<'train' | 'dev' | 'validation', string[]>;

const SEED = 20250213;

/**
 * Documents of each group that are held out. The five groups of long documents carry the flawed texts, and alder and birch
 * the student-made ones: both are what a local judge is measured on, so these groups give 24 of the 40 validation documents.
 */
const HELD_OUT: Record<string, { validation: number; dev: number }> = {
  alder: { validation: 7, dev: 0 },
  birch: { validation: 7, dev: 1 },
  cedar: { validation: 4, dev: 1 },
  elm: { validation: 3, dev: 1 },
  fir: { validation: 3, dev: 1 },
  hazel: { validation: 3, dev: 2 },
  ivy: { validation: 3, dev: 2 },
  juniper: { validation: 3, dev: 2 },
  larch: { validation: 3, dev: 2 },
  maple: { validation: 2, dev: 1 },
  oak: { validation: 2, dev: 1 },
};

/** Documents of the quickstart: the shortest of each split, and some with student-made texts for the local judge. */
const QUICKSTART = {
  train: { short: 28, studentMade: 12 },
  dev: { short: 6, studentMade: 0 },
  validation: { short: 7, studentMade: 7 },
};

const [source = 'data/recorded', target = 'data'] = process.argv.slice(2);
const documents = read<DocumentRow>('documents.jsonl');
const pairs = read<PairsRow>('pairs.jsonl');
const texts = read<TextRow>('texts.jsonl');
const judgements = read<JudgementRow>('judgements.jsonl');
const students = read<StudentRow>('students.jsonl');
const studentJudgements = read<JudgementRow>('student-judgements.jsonl');

const studentMade = new Set(students.map((row) => row.doc_id));
const splits = splitByGroup();
const judgeTexts = collectJudgeTexts();

mkdirSync(join(target, 'mga'), { recursive: true });
writeJson('mga/splits.json', splits);
writeRows('mga/judge-texts.jsonl', judgeTexts);

const small = quickstartSplits();
const order = interleaved(small);
const chosen = new Set(order);
const documentsById = new Map(documents.map((row) => [row.id, row]));
const ofChosen = <T extends { doc_id: string }>(rows: T[]) => rows.filter((row) => chosen.has(row.doc_id));
const keptTexts = ofChosen(texts);
const keptJudgeTexts = ofChosen(judgeTexts);
const kept = new Set([...keptTexts, ...keptJudgeTexts].map((row) => row.id));
const judgedAs = (row: JudgementRow) => (row.planted === undefined ? row.text_id : `${row.text_id}@${row.doc_id}`);
mkdirSync(join(target, 'quickstart'), { recursive: true });
writeRows(
  'quickstart/documents.jsonl',
  order.map((id) => documentsById.get(id)!),
);
writeRows('quickstart/pairs.jsonl', ofChosen(pairs));
writeRows('quickstart/texts.jsonl', keptTexts);
writeRows(
  'quickstart/judgements.jsonl',
  ofChosen([...judgements, ...studentJudgements]).filter((row) => kept.has(judgedAs(row))),
);
writeRows('quickstart/judge-texts.jsonl', keptJudgeTexts);
writeJson('quickstart/splits.json', small);

/** Seeded shuffle within each group. Validation of alder and birch is drawn from documents with student-made texts, dev from those without. */
function splitByGroup(): Splits {
  const splits: Splits = { train: [], dev: [], validation: [] };
  for (const [group, { validation, dev }] of Object.entries(HELD_OUT)) {
    const ids = documents.map((row) => row.id).filter((id) => id.startsWith(`${group}-`));
    const shuffled = randomStream(SEED, 'splits', group).shuffle(ids);
    const ordered = [...shuffled.filter((id) => studentMade.has(id)), ...shuffled.filter((id) => !studentMade.has(id))];
    const firstDev = ordered.length - dev;
    splits.validation.push(...ordered.slice(0, validation).sort());
    splits.train.push(...ordered.slice(validation, firstDev).sort());
    splits.dev.push(...ordered.slice(firstDev).sort());
  }
  return splits;
}

/** Everything judged but the real reformulations, which `collect` judges by itself. */
function collectJudgeTexts(): JudgeTextRow[] {
  const byId = new Map(texts.map((row) => [row.id, row]));
  const splitOf = new Map(Object.entries(splits).flatMap(([name, ids]) => ids.map((id) => [id, name] as const)));
  // A mismatch of two splits would carry a held-out document's text into the fit.
  const planted = judgements.filter(
    (row) => row.planted === 'mismatch' && splitOf.get(row.doc_id) === splitOf.get(byId.get(row.text_id)!.doc_id),
  );
  return [
    ...texts
      .filter((row) => row.kind !== 'base')
      .map(({ id, doc_id, text, kind }): JudgeTextRow => ({ id, doc_id, text, kind })),
    ...planted.map(
      ({ text_id, doc_id }): JudgeTextRow => ({
        id: `${text_id}@${doc_id}`,
        doc_id,
        text: byId.get(text_id)!.text,
        kind: 'mismatch',
      }),
    ),
    ...students.map(({ id, doc_id, text, model }): JudgeTextRow => ({ id, doc_id, text, kind: 'student', model })),
  ];
}

function quickstartSplits(): Splits {
  const length = new Map(documents.map((row) => [row.id, row.text.length]));
  const shortest = (ids: string[], count: number) =>
    [...ids].sort((a, b) => length.get(a)! - length.get(b)! || (a < b ? -1 : 1)).slice(0, count);
  const chosen = (name: keyof Splits) => {
    const { short, studentMade: withStudents } = QUICKSTART[name];
    const ids = splits[name];
    return [
      ...shortest(
        ids.filter((id) => !studentMade.has(id)),
        short,
      ),
      ...shortest(
        ids.filter((id) => studentMade.has(id)),
        withStudents,
      ),
    ];
  };
  return { train: chosen('train'), dev: chosen('dev'), validation: chosen('validation') };
}

/** Documents in an order of which every beginning holds all splits in proportion, short documents first. */
function interleaved(splits: Splits): string[] {
  return Object.values(splits)
    .flatMap((ids) => ids.map((id, i) => ({ id, place: (i + 0.5) / ids.length })))
    .sort((a, b) => a.place - b.place)
    .map(({ id }) => id);
}

function read<T>(name: string): T[] {
  const lines = readFileSync(join(source, name), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as T);
}

function writeRows(name: string, rows: unknown[]): void {
  writeFileSync(join(target, name), rows.map((row) => JSON.stringify(row) + '\n').join(''));
}

function writeJson(name: string, value: unknown): void {
  writeFileSync(join(target, name), JSON.stringify(value, null, 1) + '\n');
}
