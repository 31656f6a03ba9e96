/** Which candidates become training samples. Every other one is dropped for one stored reason. */

import { randomStream } from '../foundation/random.ts';
import type { TextPattern } from '../recipe/pattern-list.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { StageName } from '../stage/stage.ts';
import { dropBeyondBalance, type EmbedTexts } from './balance.ts';
import { type DecidedStage, type Decision, keptOf } from './decision.ts';
import { groupBy } from './group-by.ts';
import { byQuality, type Keep, keptCount } from './keep-best.ts';
import { dropNearDuplicates } from './near-duplicate.ts';
import { firstObjection, stageRules } from './rules.ts';
import type { Candidate } from './samples.ts';
import { samplesAtMost } from './samples-at-most.ts';

export interface DecideOptions {
  /** Whether the stage's texts are scored at all; if so, one without a score is dropped. */
  judged: boolean;
  /** Of the lists in `curate.patterns`. */
  patterns: readonly TextPattern[];
  /** For `curate.balance`. */
  embed?: EmbedTexts | undefined;
}

/**
 * Decides on the candidates of one stage, in this order: judge score, cleaning rules, duplicates, balance, the best of the rest, the
 * caps on samples.
 */
export async function decide(
  stage: DecidedStage,
  candidates: readonly Candidate[],
  recipe: Pick<Recipe, 'curate' | 'seed'>,
  { judged, patterns, embed }: DecideOptions,
): Promise<Decision[]> {
  const { minScore, keep, judge, duplicateSimilarity, balance } = recipe.curate;
  const rules = stageRules(stage, recipe.curate.rules);
  const settings = { ...recipe.curate, patterns };
  const decisions: Decision[] = candidates.map((candidate) => {
    if (judged) {
      if (candidate.score === null) return dropped(candidate, 'unscored', 'the judge gave no score');
      if (candidate.score < minScore)
        return dropped(candidate, 'score', `score ${candidate.score} is below ${minScore}`);
    }
    if (candidate.kind !== undefined && judge.kinds && !judge.kinds.includes(candidate.kind))
      return dropped(candidate, 'kind', `texts of kind ${candidate.kind} are not learned from`);
    const objection = firstObjection(candidate, settings, rules);
    return objection ? dropped(candidate, objection.rule, objection.reason) : { candidate };
  });
  dropNearDuplicates(stage, decisions, duplicateSimilarity);
  if (balance && embed) await dropBeyondBalance(decisions, balance, recipe.seed, embed);
  if (stage.name === 'judge') dropTeacherTexts(recipe.curate.judge.teacherTexts, decisions, recipe.seed);
  if (keep && judged) dropWorse(keep, decisions, recipe.seed);
  const maxSamples = samplesAtMost(recipe.curate, stage.name);
  if (maxSamples !== undefined) dropBeyond(maxSamples, stage.name, decisions, recipe.seed);
  return decisions;
}

function dropped(candidate: Candidate, rule: string, reason: string): Decision {
  return { candidate, dropped: { rule, reason } };
}

/** The teacher's own texts nearly all have one score: a judge that saw all of them would learn little else. */
function dropTeacherTexts(most: number, decisions: Decision[], seed: number): void {
  const own = keptOf(decisions).filter(({ candidate }) => candidate.origin === 'teacher');
  for (const [docId, group] of groupBy(own, ({ candidate }) => candidate.row.doc_id)) {
    for (const decision of randomStream(seed, 'teacher-texts', docId).shuffle(group).slice(most)) {
      decision.dropped = {
        rule: 'teacher-texts',
        reason: `${most} of the teacher's texts of the document were drawn without it`,
      };
    }
  }
}

/** Dev losses and dev scores stay comparable: only training samples have to be among the best. */
function dropWorse(keep: Keep, decisions: Decision[], seed: number): void {
  const train = keptOf(decisions).filter(({ candidate }) => candidate.split === 'train');
  const decisionOf = new Map(train.map((decision) => [decision.candidate, decision]));
  const ranked = byQuality([...decisionOf.keys()], seed);
  const kept = keptCount(keep, ranked.length);
  for (const [i, candidate] of ranked.entries()) {
    if (i < kept) continue;
    decisionOf.get(candidate)!.dropped = {
      rule: 'keep',
      reason: `number ${i + 1} of ${ranked.length} by score, and the best ${kept} are kept`,
    };
  }
}

/** Keeps whole documents, drawn by seed, because samples of one document share its encoding in training; then part of one more. */
function dropBeyond(maxSamples: number, stage: StageName, decisions: Decision[], seed: number): void {
  const train = keptOf(decisions).filter(({ candidate }) => candidate.split === 'train');
  const groups = groupBy(train, ({ candidate }) => candidate.row.doc_id);
  const drawn = randomStream(seed, 'curate', stage).shuffle([...groups.keys()]);
  for (const decision of drawn.flatMap((docId) => groups.get(docId)!).slice(maxSamples)) {
    decision.dropped = { rule: 'max-samples', reason: `${maxSamples} samples were drawn without it` };
  }
}
