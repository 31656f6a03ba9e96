/** `mga curate`: collected answers become SFT sets, and every answer that does not is told why. */

import { existsSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Collected, readCollected } from '../collect/collected.ts';
import { readRoundDocuments } from '../corpus/round-documents.ts';
import { isComplete, writeManifest } from '../foundation/artifact.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import { readPatternLists } from '../recipe/pattern-list.ts';
import type { Recipe } from '../recipe/schema.ts';
import { BUILT_IN_STAGES } from '../recipe/stage-definition.ts';
import { learntStages } from '../stage/recipe-stages.ts';
import { reformulateStage } from '../stage/reformulate.ts';
import type { StageName } from '../stage/stage.ts';
import type { EmbedTexts } from './balance.ts';
import { decide } from './decide.ts';
import type { Decision } from './decision.ts';
import { funnel, type StageFunnel } from './funnel.ts';
import { indexRun } from './index-run.ts';
import { ownCandidates } from './own-candidates.ts';
import { candidates, TRAINING_SPLITS } from './samples.ts';
import { writeSft } from './sft-arrow.ts';
import { writeSftParquet } from './sft-parquet.ts';

/** Part of the inputs' identity: raise it when rules or sample shapes change, so that sets are made again. */
const CURATE_VERSION = 3;

export type CurateFacts = {
  stages: Record<StageName, StageFunnel>;
  /** Of several rounds: the same for the documents that this round added. */
  added?: Record<StageName, StageFunnel>;
};

/** What stands right of curate and is handed in: pipeline/curate-samples.ts brings the real one. */
export interface CurateParts {
  /** Vectors of length 1 by the sentence embedder of that name, asked for where a recipe sets `curate.balance`. */
  embed?(embedder: string, texts: readonly string[], context: RunContext): ReturnType<EmbedTexts>;
}

/**
 * Makes the SFT sets of every stage some student learns, from training and dev documents alone: Arrow folders and Parquet
 * files beside them; stores every decision; leaves a funnel in the manifest's facts.
 *
 * @throws UserError for a pattern list that cannot be used, and where nothing is left to train a stage on
 */
export async function curate(
  recipe: Recipe,
  folder: RunFolder,
  context: RunContext,
  parts: CurateParts = {},
): Promise<void> {
  const started = performance.now();
  const { emit, signal } = context;
  const collected = await readCollected(recipe, folder);
  const stages = learntStages(recipe);
  const names = stages.map(({ name }) => name);
  const patterns = readPatternLists(recipe.curate.patterns);
  const embed = embedderOf(recipe, context, parts);
  const inputs = {
    version: CURATE_VERSION,
    curate: recipe.curate,
    patterns: patterns.map(({ name, where, pattern }) => [name, where, pattern.source]),
    seed: recipe.seed,
    stages: names,
    judged: recipe.collect.stages.includes('judge'),
    // Only answers of collect: what later commands add to the ledger does not make the sets stale.
    answers: collected.answersHash,
  };
  const complete = isComplete(folder.round(folder.currentRound), inputs);
  if (complete && existsSync(folder.store)) {
    emit({ type: 'command-skip', command: 'curate', reason: 'the SFT sets are complete for these answers' });
    return;
  }
  emit({ type: 'command-start', command: 'curate', detail: names.join(', '), total: stages.length, unit: 'stages' });
  if (collected.missing > 0) {
    const message = `collect has not finished: ${collected.missing} answers are missing; the sets are made of what is there`;
    emit({ type: 'log', level: 'warn', message });
  }
  const added = recipe.rounds.count > 1 ? readRoundDocuments(folder, folder.currentRound)?.documents : undefined;
  const facts: CurateFacts = { stages: {}, ...(added && { added: {} }) };
  const all: Decision[] = [];
  for (const [i, stage] of stages.entries()) {
    if (signal.aborted) throw new InterruptedError();
    const decisions = await decide(
      stage,
      BUILT_IN_STAGES.includes(stage.name)
        ? candidates(stage.name, collected, {
            ...recipe.curate.judge,
            seed: recipe.seed,
            reformulate: recipe.reformulate.prompt,
          })
        : ownCandidates(stage, collected),
      recipe,
      { judged: isJudged(stage.name, recipe), patterns, embed },
    );
    const counts = funnel(stage.name, decisions, collected);
    if (counts.train === 0) refuse(stage.name, counts);
    if (!complete) await writeSets(folder, stage.name, decisions);
    facts.stages[stage.name] = counts;
    if (facts.added) facts.added[stage.name] = funnel(stage.name, ...only(added!, decisions, collected));
    all.push(...decisions);
    emit({
      type: 'command-progress',
      command: 'curate',
      label: stage.name,
      done: i + 1,
      total: stages.length,
      unit: 'stages',
    });
  }
  await indexRun(folder, folder.currentRound, collected, all);
  const seconds = (performance.now() - started) / 1000;
  if (!complete) writeManifest(folder.round(folder.currentRound), { kind: 'curate', inputs, facts, seconds });
  emit({ type: 'command-end', command: 'curate', seconds, summary: summary(facts.stages) });
}

function embedderOf({ curate }: Recipe, context: RunContext, { embed }: CurateParts): EmbedTexts | undefined {
  const { balance } = curate;
  if (balance === undefined) return undefined;
  if (embed === undefined)
    throw new TypeError('internal: curate.balance is set, and nothing to embed with was handed in');
  return (texts) => embed(balance.embedder, texts, context);
}

/** Whether the run scores the stage's texts: reformulations by the judge, answers of own stages by their rubric. */
function isJudged(stage: StageName, { collect, stages }: Recipe): boolean {
  if (stage === reformulateStage.name) return collect.stages.includes('judge');
  return stages[stage]?.judge !== undefined;
}

async function writeSets(folder: RunFolder, stage: StageName, decisions: readonly Decision[]): Promise<void> {
  // A set that a changed recipe makes anew must not look complete while it is being written.
  rmSync(join(folder.round(folder.currentRound), 'manifest.json'), { force: true });
  for (const split of TRAINING_SPLITS) {
    const rows = decisions
      .filter(({ candidate, dropped }) => !dropped && candidate.split === split)
      .map(({ candidate }) => candidate.row);
    const set = folder.sft(folder.currentRound, stage, split);
    writeSft(set, rows);
    await writeSftParquet(join(dirname(set), `${split}.parquet`), rows);
  }
}

/** What a funnel of these training documents alone counts. */
function only(
  documents: readonly string[],
  decisions: readonly Decision[],
  collected: Collected,
): [Decision[], Collected] {
  const wanted = new Set(documents);
  const own = decisions.filter(({ candidate }) => wanted.has(candidate.row.doc_id));
  return [own, { ...collected, splits: { train: [...documents], dev: [], validation: [] } }];
}

function refuse(stage: StageName, { collected, parsed, dropped }: StageFunnel): never {
  const reasons = Object.entries(dropped).map(([rule, n]) => `${rule} ${n}`);
  throw new UserError(
    `Cannot curate stage ${stage}: none of ${collected} collected answers is left for training (${parsed} parsed${reasons.length > 0 ? `; dropped: ${reasons.join(', ')}` : ''})`,
    parsed === 0
      ? 'Run `mga collect` first, or see `mga status` for failures'
      : 'Loosen the `curate` section of the recipe',
  );
}

function summary(stages: CurateFacts['stages']): string {
  return Object.entries(stages)
    .map(
      ([stage, { kept, parsed, made = 0, train, dev }]) =>
        `${stage}: ${kept} of ${parsed + made} kept (${train} train, ${dev} dev)`,
    )
    .join('; ');
}
