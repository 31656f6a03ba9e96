/** What a run would still ask of the teacher and what that costs, and which artifacts are there already. Asks nothing; writes nothing but a measured speed. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { readMaterial } from '../collect/collected.ts';
import { readManifest } from '../foundation/artifact.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { type BreakEven, breakEven } from '../price/break-even.ts';
import { collectedGroups } from '../price/collected-groups.ts';
import { type PricePlan, pricePlan, type StagePlan, stagePlan } from '../price/price-plan.ts';
import type { Preview } from '../price/request-groups.ts';
import { studentSpeed } from '../price/student-speed.ts';
import type { Recipe } from '../recipe/schema.ts';
import { indexLedger } from '../store/ledger-index.ts';
import { grownMaterial, type RoundsPlan, roundsGroups, roundsPlan } from './plan/rounds-plan.ts';
import { type StudentPlan, studentPlans } from './plan/student-plans.ts';
import { validationGroups } from './plan/validation-groups.ts';

export interface RunPlan {
  run: string;
  teacher: string;
  documents: { train: number; dev: number; validation: number };
  /** Absent where there is one. */
  rounds?: RoundsPlan;
  stages: StagePlan[];
  price: PricePlan;
  /** `budget.usd`. */
  budget: number | null;
  /** Requests in flight. */
  concurrency: number;
  breakEven: BreakEven;
  students: StudentPlan[];
  /** Artifacts that are complete; they are kept if their inputs have not changed. */
  artifacts: { folder: string; kind: string; createdAt: string }[];
  /** The first requests of each stage to each of those who are asked. */
  previews: ({ stage: string; model: string } & Preview)[];
}

export interface PlanOptions {
  /** First requests of each stage that are shown. */
  previews?: number;
  /** Make two steps of training where no speed is known. */
  measure?: boolean;
  context?: RunContext;
}

/** Plans a run. */
export async function planRun(
  recipe: Recipe,
  folder: RunFolder,
  { previews = 1, measure = false, context = silent() }: PlanOptions = {},
): Promise<RunPlan> {
  const temporary = mkdtempSync(join(tmpdir(), 'mga-plan-'));
  try {
    // Splits are drawn by reading the material; those of a plan must not become those of the run.
    const splits = existsSync(folder.splits) ? folder.splits : join(temporary, 'splits.json');
    // Of several rounds, the documents of all.
    const read = await readMaterial(recipe, { ...folder, splits, currentRound: recipe.rounds.count }, context);
    const { material, held } = grownMaterial(read, recipe);
    const index = await indexLedger(folder.ledger);
    const collected = collectedGroups(recipe, { material, index, ledger: folder.ledger, previews });
    const between = await roundsGroups(recipe, folder, material, collected);
    const groups = [...collected, ...between, ...(await validationGroups(recipe, folder, material, collected))];
    const rounds = roundsPlan(recipe, material, collected, held);
    const { concurrency } = recipe.collect;
    const stages = groups.map((group) => stagePlan(group, concurrency));
    const price = pricePlan(stages, index.spend);
    const students = await studentPlans({ recipe, folder, material, groups, context, measure });
    const { train, dev, validation } = material.splits;
    return {
      run: folder.root,
      teacher: material.teacher.name,
      documents: { train: train.length, dev: dev.length, validation: validation.length },
      ...(rounds ? { rounds } : {}),
      stages,
      price,
      budget: recipe.budget.usd ?? null,
      concurrency,
      breakEven: breakEven(recipe, groups, price, studentSpeed(recipe, folder), trainingSeconds(students)),
      students,
      artifacts: findArtifacts(folder),
      previews: groups.flatMap(({ stage, model, previews: shown }) => shown.map((one) => ({ stage, model, ...one }))),
    };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function silent(): RunContext {
  return { emit: () => {}, signal: new AbortController().signal };
}

/** Of all students; null where that of one is not known. */
function trainingSeconds(students: readonly StudentPlan[]): number | null {
  const each = students.map(({ trainedSeconds, seconds }) => trainedSeconds ?? seconds);
  return each.every((one) => one !== undefined) ? each.reduce((sum, one) => sum + one, 0) : null;
}

function findArtifacts(folder: RunFolder): RunPlan['artifacts'] {
  if (!existsSync(folder.root)) return [];
  return readdirSync(folder.root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.name === 'manifest.json')
    .map(({ parentPath }) => ({ parentPath, manifest: readManifest(parentPath)! }))
    .map(({ parentPath, manifest }) => ({
      folder: relative(folder.root, parentPath),
      kind: manifest.kind,
      createdAt: manifest.createdAt,
    }))
    .sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}
