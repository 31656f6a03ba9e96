/** What a run would still ask of the teacher, and which artifacts are there already. Asks nothing and writes nothing into the run. */

import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { CollectedReading, readMaterial } from '../collect/collected.ts';
import { stageJobs } from '../collect/jobs.ts';
import { readManifest } from '../foundation/artifact.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentTrain } from '../recipe/student-train.ts';
import { collectedStages } from '../stage/recipe-stages.ts';
import type { AnyStage, ChatMessage, StageName, StageUnit } from '../stage/stage.ts';
import { indexLedger } from '../store/ledger-index.ts';
import { usdOf } from '../teacher/price.ts';
import { count } from '../ui/format.ts';
import { textTable } from './text-table.ts';

export interface StagePlan {
  stage: StageName;
  /** Requests of the stage; estimated where they depend on answers that are still to come. */
  total: number;
  estimated: boolean;
  answered: number;
  /** Given up for good, and not asked again. */
  failed: number;
  toAsk: number;
  /** Estimates for what is still to be asked. */
  promptTokens: number;
  /** At most: every answer as long as the stage allows. */
  completionTokens: number;
}

export interface RunPlan {
  run: string;
  teacher: string;
  documents: { train: number; dev: number; validation: number };
  stages: StagePlan[];
  /** US dollars at most; null without a price in the recipe. */
  usd: number | null;
  students: { name: string; stages: StageName[]; model: string; epochs: number }[];
  /** Artifacts that are complete; they are kept if their inputs have not changed. */
  artifacts: { folder: string; kind: string; createdAt: string }[];
}

/** Pairs a document has. */
const PAIRS = 5;

/** As long as genres (2-3 sentences) and audiences (2 sentences) usually are. */
const TYPICAL_PAIR = { genre: '.'.repeat(300), audience: '.'.repeat(200) };

/** English text in usual vocabularies; good enough for a price. */
const CHARACTERS_PER_TOKEN = 4;

/** Plans a run. */
export async function planRun(recipe: Recipe, folder: RunFolder): Promise<RunPlan> {
  const temporary = mkdtempSync(join(tmpdir(), 'mga-plan-'));
  try {
    // Splits are drawn by reading the material; those of a plan must not become those of the run.
    const splits = existsSync(folder.splits) ? folder.splits : join(temporary, 'splits.json');
    const material = await readMaterial(recipe, { ...folder, splits });
    const index = await indexLedger(folder.ledger);
    const reading = new CollectedReading(material, index, folder.ledger);
    const { train, dev, validation } = material.splits;
    const { judges } = material;
    const expected: Record<StageUnit, number> = {
      document: material.documents.size,
      pair: PAIRS * material.documents.size,
      text:
        (PAIRS * material.documents.size + material.judgeTexts.length) *
          (judges.first.repeats + (judges.second ? 1 : 0)) +
        judges.canaries,
    };
    const stages: StagePlan[] = [];
    try {
      for (const stage of collectedStages(recipe)) {
        stages.push(planStage(stage, expected[stage.unit], reading, index));
        reading.readStage(stage);
      }
    } finally {
      reading.close();
    }
    return {
      run: folder.root,
      teacher: material.teacher.name,
      documents: { train: train.length, dev: dev.length, validation: validation.length },
      stages,
      usd: priceOf(recipe, stages),
      students: recipe.students.map((student) => {
        const { model, epochs } = studentTrain(recipe, student);
        return { name: student.name, stages: student.stages, model, epochs };
      }),
      artifacts: findArtifacts(folder),
    };
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

function planStage(
  stage: AnyStage,
  expected: number,
  reading: CollectedReading,
  index: Awaited<ReturnType<typeof indexLedger>>,
): StagePlan {
  let [known, answered, failed, characters] = [0, 0, 0, 0];
  for (const { request } of stageJobs(stage, reading.sources)) {
    known++;
    if (index.responses.has(request.key)) answered++;
    else if (index.failures.get(request.key)?.final) failed++;
    else characters += promptLength(request.messages);
  }
  // While answers of earlier stages are missing, some of this stage's requests are not known yet.
  const upstream = reading.collected.missing > 0;
  const total = upstream ? Math.max(known, expected) : known;
  const toAsk = total - answered - failed;
  const unknown = (total - known) * typicalPromptLength(stage, reading);
  return {
    stage: stage.name,
    total,
    estimated: upstream,
    answered,
    failed,
    toAsk,
    promptTokens: Math.round((characters + unknown) / CHARACTERS_PER_TOKEN),
    completionTokens: toAsk * stage.maxTokens,
  };
}

/** Mean characters of a stage's prompts, with stand-ins for what earlier stages will answer. */
function typicalPromptLength(stage: AnyStage, { sources }: CollectedReading): number {
  const documents = [...sources.documents.values()];
  const lengths = documents.map((document) =>
    promptLength(stage.teacherPrompt({ document, text: document.text, pair: TYPICAL_PAIR })),
  );
  return lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
}

function promptLength(messages: readonly ChatMessage[]): number {
  return messages.reduce((sum, { content }) => sum + content.length, 0);
}

function priceOf({ teacher }: Recipe, stages: readonly StagePlan[]): number | null {
  const sum = (key: 'promptTokens' | 'completionTokens') => stages.reduce((total, stage) => total + stage[key], 0);
  const batch = teacher.kind === 'openai' && teacher.batch;
  return usdOf({ promptTokens: sum('promptTokens'), completionTokens: sum('completionTokens') }, teacher, batch);
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

/** The plan as text. */
export function renderPlan(plan: RunPlan): string {
  const { train, dev, validation } = plan.documents;
  const stages = plan.stages.map((stage) => [
    stage.stage,
    `${stage.estimated ? 'about ' : ''}${count(stage.total)}`,
    count(stage.answered),
    count(stage.failed),
    count(stage.toAsk),
    count(stage.promptTokens),
    count(stage.completionTokens),
  ]);
  const header = ['stage', 'requests', 'answered', 'failed', 'to ask', 'prompt tokens', 'answer tokens, at most'];
  const students = plan.students.map(
    ({ name, stages: jobs, model, epochs }) => `  ${name}: ${jobs.join(', ')} into ${model}, epochs: ${epochs}`,
  );
  const artifacts = plan.artifacts.map(({ folder, kind, createdAt }) => `  ${folder} (${kind}, ${createdAt})`);
  return `${[
    `Run ${plan.run}: ${train} documents to train on, ${dev} for dev loss, ${validation} for validation`,
    `Teacher ${plan.teacher}\n${textTable(header, stages)}\n${priceSentence(plan.usd)}`,
    `Students\n${students.join('\n')}`,
    artifacts.length > 0
      ? `Complete, and skipped unless their inputs changed\n${artifacts.join('\n')}`
      : 'No artifacts yet',
  ].join('\n\n')}\n`;
}

function priceSentence(usd: number | null): string {
  if (usd === null) return 'Price: unknown; give teacher.price in the recipe';
  return usd === 0 ? 'Price: nothing' : `Price: at most about $${usd.toFixed(2)}`;
}
