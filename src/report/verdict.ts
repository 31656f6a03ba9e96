/** The one sentence a reader came for: does the deployed student keep up with its teacher? */

import { percent, percentInterval, pointsInterval } from './number-format.ts';
import type { Interval, StageTable, TableRow } from './run-data.ts';

export type Outcome = 'pass' | 'fail' | 'undecided' | 'none';

export interface Verdict {
  outcome: Outcome;
  headline: string;
  /** The rates of student, teacher and untrained model in words. */
  evidence: string;
  /** How the outcome was decided. */
  basis: string;
  stage: string | undefined;
}

const HEADLINES: Readonly<Record<Outcome, string>> = {
  pass: 'The student keeps up with its teacher',
  fail: 'The student falls short of its teacher',
  undecided: 'Too early to say whether the student keeps up',
  none: 'Not validated yet',
};

/** The stage people judge a run by: reformulation where there is one. */
export function primaryTable(tables: readonly StageTable[]): StageTable | undefined {
  return tables.find((table) => table.stage === 'reformulate') ?? tables[0];
}

/** The row of what would be deployed: the quantized student, else the student. */
export function deployedRow(table: StageTable): TableRow | undefined {
  return rowOf(table, 'student-w8a8') ?? rowOf(table, 'student');
}

/**
 * The verdict on the run's primary stage. The usable rate decides where its paired interval is known, because an echo of
 * the source scores 5; else what `validate` decided on Rate(>=3), else that rate's interval.
 *
 * @param margin points by which the student may be worse than the teacher
 */
export function decideVerdict(tables: readonly StageTable[], margin: number): Verdict {
  const table = primaryTable(tables);
  const row = table && deployedRow(table);
  if (table === undefined || row === undefined) {
    const evidence =
      table === undefined ? 'Nothing has been judged in this run so far.' : 'No student is among the judged models.';
    const basis = 'Run mga validate, then mga report again.';
    return { outcome: 'none', headline: HEADLINES.none, evidence, basis, stage: table?.stage };
  }
  return { ...decideRow(row, margin), evidence: evidenceOf(table, row), stage: table.stage };
}

function decideRow(row: TableRow, margin: number): Pick<Verdict, 'outcome' | 'headline' | 'basis'> {
  const measure = row.usableDiffInterval ? 'the usable rate' : 'Rate(≥3)';
  const interval = row.usableDiffInterval ?? row.diffInterval;
  const stated = isOutcome(row.verdict) && !row.usableDiffInterval ? row.verdict : undefined;
  const outcome = stated ?? outcomeOf(interval, margin);
  const needed =
    outcome === 'undecided' && row.documentsNeeded !== undefined
      ? ` About ${row.documentsNeeded.toLocaleString('en')} more documents would decide it.`
      : '';
  const basis =
    interval === undefined
      ? 'The table holds no difference to the teacher with an interval, so nothing can be decided.'
      : `Student minus teacher in ${measure}: ${pointsInterval(interval)} points (95% interval); up to ${margin} points worse would pass.${needed}`;
  return { outcome, headline: HEADLINES[outcome], basis };
}

/** Non-inferiority: pass where the whole interval lies above minus the margin, fail where it lies below. */
function outcomeOf(interval: Interval | undefined, margin: number): Outcome {
  if (interval === undefined) return 'undecided';
  if (interval[0] > -margin / 100) return 'pass';
  return interval[1] < -margin / 100 ? 'fail' : 'undecided';
}

function evidenceOf(table: StageTable, row: TableRow): string {
  const known = row.usable !== undefined;
  const share = (of: TableRow | undefined) => (known ? of?.usable : of?.rate);
  const interval = percentInterval(known ? row.usableInterval : row.rateInterval);
  const teacher = share(rowOf(table, 'teacher'));
  const base = share(rowOf(table, 'base'));
  const parts = [
    `${percent(share(row))} of its outputs are ${known ? 'usable' : 'scored 3 or better'}${interval ? ` (95% interval ${interval})` : ''}`,
    teacher !== undefined && `the teacher reaches ${percent(teacher)}`,
    base !== undefined && `the untrained model ${percent(base)}`,
  ].filter((part) => part !== false);
  const sentence = parts.length === 3 ? `${parts[0]}; ${parts[1]}, ${parts[2]}.` : `${parts.join('; ')}.`;
  return row.gainInterval === undefined ? sentence : `${sentence} ${gainSentence(row.gainInterval)}`;
}

function gainSentence(interval: Interval): string {
  const range = `${pointsInterval(interval)} points (95% interval)`;
  if (interval[0] > 0) return `Training helped: ${range}.`;
  if (interval[1] < 0) return `Training did harm: ${range}.`;
  return `Whether training helped is open: ${range}.`;
}

function rowOf(table: StageTable, arm: string): TableRow | undefined {
  return table.rows.find((row) => row.arm === arm);
}

function isOutcome(text: string | undefined): text is Outcome {
  return text === 'pass' || text === 'fail' || text === 'undecided';
}
