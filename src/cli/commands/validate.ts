/** `mga validate`: the students of a run, or scores made anywhere. */

import { readFileSync } from 'node:fs';
import { UserError } from '../../foundation/errors.ts';
import type { StageTable } from '../../validate/table.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { openRun, RUN_ARGUMENT, RUN_OPTIONS } from '../open-run.ts';
import { printTables } from '../print-tables.ts';
import { withDisplay } from '../with-display.ts';

/** The recipe's defaults, for scores that come without a recipe. */
const MARGIN = 3;
const RESAMPLES = 2000;

export const command = defineCommand({
  name: 'validate',
  summary: COMMAND_TABLE.validate!.summary,
  details: `With a recipe: generates with every arm, scores, and prints the table.
With --from: prints the table for scores made anywhere, one object a line:
{"arm", "doc_id", "item", "score": 1..5 or null}, and "model", "stage", "copied", "complete", "usable" where known. Rows of one arm that differ in "seed" are
trainings of one student: one row of the table, with its spread.`,
  arguments: [{ ...RUN_ARGUMENT, optional: true }],
  options: {
    ...RUN_OPTIONS,
    from: { type: 'string', value: 'FILE', description: 'Scores as JSON Lines, instead of a recipe' },
    margin: { type: 'string', value: 'POINTS', description: `With --from: non-inferiority margin; default ${MARGIN}` },
    gate: {
      type: 'string',
      value: '[strict]',
      choices: ['fail', 'strict'],
      description: 'Exit 1 where a student fails its margin; strict: where it is undecided, too',
    },
    reference: { type: 'string', value: 'ARM', description: 'With --from: arm of the differences; default teacher' },
    second: { type: 'string', value: 'FILE', description: 'With --from: scores {arm, item, score} by a second judge' },
    human: { type: 'string', value: 'FILE', description: 'With --from: scores {arm, item, score} by people' },
    json: { type: 'boolean', description: 'With --from: table1.json; else events as JSON lines' },
  },
  async run({ args, options }, io) {
    const [target] = args;
    if (options.from !== undefined) {
      if (target !== undefined) throw new UserError('Cannot use a recipe together with --from', 'Give one of them');
      const { tablesFromScores } = await import('../../validate/from-scores.ts');
      const { renderTables } = await import('../../validate/render.ts');
      const settings = {
        margin: number('margin', options.margin ?? String(MARGIN)),
        resamples: RESAMPLES,
        seed: 0,
        ...(options.reference === undefined ? {} : { reference: options.reference }),
        ...(options.second === undefined ? {} : { second: options.second }),
        ...(options.human === undefined ? {} : { human: options.human }),
      };
      const tables = await tablesFromScores(options.from, settings);
      io.stdout.write(options.json ? `${JSON.stringify(tables, null, 2)}\n` : renderTables(tables, 'text'));
      await hold(options.gate, tables);
      return;
    }
    if (target === undefined) throw new UserError('Cannot validate: found no recipe', 'Give a recipe, or --from FILE');
    const { recipe, folder } = openRun(target, options);
    const { runCommands } = await import('../../pipeline/run.ts');
    await withDisplay(['validate'], options, io, (context) => runCommands(['validate'], recipe, folder, context));
    await printTables(folder, options, io);
    if (options.gate !== undefined) {
      await hold(options.gate, JSON.parse(readFileSync(folder.table1, 'utf8')) as StageTable[]);
    }
  },
});

async function hold(gate: string | undefined, tables: readonly StageTable[]): Promise<void> {
  if (gate === undefined) return;
  if (gate !== 'fail' && gate !== 'strict') {
    throw new UserError(`Cannot use --gate ${gate}: it knows nothing but strict`, 'Give --gate or --gate strict');
  }
  const { passGate } = await import('../../validate/gate.ts');
  passGate(tables, gate);
}

function number(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) {
    throw new UserError(`Cannot use --${option} ${text}: not a number from 0 on`, `For example --${option} ${MARGIN}`);
  }
  return value;
}
