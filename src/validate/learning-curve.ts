/** Learning curve: students trained on nested parts of the samples, in one table with one judge. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readSft, writeSft } from '../curate/sft-arrow.ts';
import type { SftRow } from '../curate/sft-row.ts';
import { readManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { randomStream } from '../foundation/random.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { type RunFolder, runFolder } from '../foundation/run-folder.ts';
import { writeResolvedRecipe } from '../recipe/resolved.ts';
import type { Recipe } from '../recipe/schema.ts';
import { tableStages } from '../stage/recipe-stages.ts';
import type { Interval } from '../statistics/wilson.ts';
import { trainStudents } from '../train/train-students.ts';
import { renderGrid } from './render.ts';
import type { StageTable, TableRow } from './table.ts';
import { type ValidateParts, validateStudents } from './validate.ts';

const ROUND = 1;

/** One student at one size. Rates are shares, intervals 95% over documents. */
export interface CurvePoint {
  stage: string;
  student: string;
  /** Training samples of this stage. */
  samples: number;
  rate: number;
  rate_ci: Interval;
  usable?: number;
  usable_ci?: Interval;
  /** Nats a token; null where there are no dev samples. */
  dev_loss: number | null;
}

/** learning-curve/curve.json */
export interface LearningCurve {
  points: CurvePoint[];
  /** Arms that do not depend on samples: teacher and untrained model, by stage. */
  references: { stage: string; arm: string; rate: number; usable?: number }[];
  judges: { stage: string; kind: string }[];
}

/**
 * Trains the run's students on `sizes` samples a stage (the smaller sets are parts of the larger ones, whole documents drawn by the
 * recipe's seed, like `curate.maxSamples`), answers the run's validation inputs with each and scores all of them with one judge.
 * Everything lies in learning-curve/ of the run; what is trained and answered already is not made again.
 *
 * @throws UserError where the run is not curated, or holds fewer samples than the smallest size
 * @throws InterruptedError when `context.signal` is aborted
 */
export async function learningCurve(
  recipe: Recipe,
  folder: RunFolder,
  sizes: readonly number[],
  context: RunContext,
  parts: ValidateParts = {},
): Promise<LearningCurve> {
  const home = join(folder.root, 'learning-curve');
  const sets = trainingSets(recipe, folder);
  const largest = Math.max(...[...sets.values()].map(({ train }) => train.length));
  const points = [...new Set(sizes)].sort((a, b) => a - b).filter((size) => size < largest);
  if (points.length === 0) {
    throw new UserError(
      `Cannot draw a learning curve: no size of ${sizes.join(', ')} is below the ${largest} samples there are`,
      'Give smaller sizes',
    );
  }
  // Students that only judge have no table.
  const learners = recipe.students.filter(({ stages }) => stages.some((stage) => sets.has(stage)));
  const whole = learners.every(({ name }) => readManifest(folder.student(name)) !== undefined);
  const trained = { ...recipe, students: learners };
  const runs = points.map((size) => ({ size, run: runFolder(join(home, String(size))) }));
  for (const { size, run } of runs) {
    for (const [stage, { train, dev }] of sets) {
      writeSft(run.sft(ROUND, stage, 'train'), nestedRows(train, size, recipe.seed));
      writeSft(run.sft(ROUND, stage, 'dev'), dev);
    }
    writeResolvedRecipe(trained, run);
    const emit: RunContext['emit'] = (event) =>
      context.emit('student' in event ? { ...event, student: `${event.student}, ${size} samples` } : event);
    await trainStudents(trained, run, { ...context, emit });
    if (context.signal.aborted) throw new InterruptedError();
  }
  const arms: Recipe['validate']['arms'] = [
    'teacher',
    'base',
    ...runs.map(({ size, run }) => ({
      kind: 'run' as const,
      name: armOf(size),
      run: run.root,
      precision: 'f32' as const,
    })),
    ...(whole ? (['student'] as const) : []),
  ];
  const validation = join(home, 'validation');
  const place: RunFolder = { ...folder, validation, table1: join(validation, 'table1.json') };
  const validating = { ...recipe, validate: { ...recipe.validate, arms, embeddings: undefined } };
  await validateStudents(validating as Recipe, place, context, parts);
  const tables = JSON.parse(readFileSync(place.table1, 'utf8')) as StageTable[];
  const curve = curveOf(
    tables,
    [
      ...runs.map(({ size, run }) => ({ arm: armOf(size), size, run })),
      ...(whole ? [{ arm: 'student', size: largest, run: folder }] : []),
    ],
    learners,
    sets,
  );
  writeFileAtomic(join(home, 'curve.json'), `${JSON.stringify(curve, null, 2)}\n`);
  return curve;
}

const armOf = (size: number) => `samples-${size}`;

interface StageSets {
  train: SftRow[];
  dev: SftRow[];
}

/** The curated samples of every stage that has a table. */
function trainingSets(recipe: Recipe, folder: RunFolder): Map<string, StageSets> {
  return new Map(
    tableStages(recipe).map(({ name }) => {
      const [train, dev] = (['train', 'dev'] as const).map((split) => folder.sft(ROUND, name, split));
      if (!existsSync(train!)) {
        throw new UserError(
          `Cannot draw a learning curve: ${folder.root} has no samples of stage ${name}`,
          'Run `mga curate` first',
        );
      }
      return [name, { train: readSft(train!), dev: readSft(dev!) }];
    }),
  );
}

/**
 * The first `size` rows of whole documents in a seeded order (the last document in part), so that a smaller set is part of a
 * larger one, and stages learn from the same documents.
 */
export function nestedRows(rows: readonly SftRow[], size: number, seed: number): SftRow[] {
  const byDocument = new Map<string, SftRow[]>();
  for (const row of rows) byDocument.set(row.doc_id, [...(byDocument.get(row.doc_id) ?? []), row]);
  const drawn = randomStream(seed, 'learning-curve').shuffle([...byDocument.keys()].sort());
  return drawn.flatMap((id) => byDocument.get(id)!).slice(0, size);
}

/** The points in the order of their sizes, and what they are held against. */
function curveOf(
  tables: readonly StageTable[],
  sizes: readonly { arm: string; size: number; run: RunFolder }[],
  learners: Recipe['students'],
  sets: ReadonlyMap<string, StageSets>,
): LearningCurve {
  const usableOf = ({ usable, usable_ci, counts }: TableRow): Pick<CurvePoint, 'usable' | 'usable_ci'> =>
    usable === undefined || counts === undefined ? {} : { usable, ...(usable_ci ? { usable_ci } : {}) };
  const points = tables.flatMap(({ stage, rows }) =>
    sizes.flatMap(({ arm, size, run }): CurvePoint[] => {
      const row = rows.find((one) => one.arm === arm);
      const student = learners.find(({ stages }) => stages.includes(stage));
      if (row === undefined || student === undefined) return [];
      const { dev_loss } = (readManifest(run.student(student.name))?.facts ?? {}) as { dev_loss?: number | null };
      return [
        {
          stage,
          student: student.name,
          samples: Math.min(size, sets.get(stage)!.train.length),
          rate: row.rate,
          rate_ci: row.rate_ci,
          ...usableOf(row),
          dev_loss: dev_loss ?? null,
        },
      ];
    }),
  );
  return {
    points,
    references: tables.flatMap(({ stage, rows }) =>
      rows
        .filter(({ arm }) => arm === 'teacher' || arm === 'base')
        .map((row) => {
          const { usable } = usableOf(row);
          return { stage, arm: row.arm, rate: row.rate, ...(usable === undefined ? {} : { usable }) };
        }),
    ),
    judges: tables.map(({ stage, judge }) => ({ stage, kind: judge.kind })),
  };
}

/** The curve for a terminal. */
export function renderLearningCurve({ points, references }: LearningCurve): string {
  const percent = (share: number | undefined) => (share === undefined ? '' : `${(100 * share).toFixed(1)}%`);
  const range = (ci: Interval | undefined) => ci?.map((bound) => (100 * bound).toFixed(1)).join('..') ?? '';
  const rows = [
    ...points.map((point) => [
      point.stage,
      String(point.samples),
      percent(point.rate),
      range(point.rate_ci),
      percent(point.usable),
      range(point.usable_ci),
      point.dev_loss?.toFixed(3) ?? '',
    ]),
    ...references.map(({ stage, arm, rate, usable }) => [stage, arm, percent(rate), '', percent(usable), '', '']),
  ];
  const header = ['Learning curve', 'samples', 'Rate', '95%', 'usable', '95%', 'dev loss'];
  return `${renderGrid({ header, rows }, 'text')}\n`;
}
