/** Which candidates become training samples. Every other one is dropped for one stored reason. */

import { nearDuplicates } from '../corpus/near-duplicates.ts';
import { randomStream } from '../foundation/random.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { StageName } from '../stage/stage.ts';
import { groupBy } from './group-by.ts';
import type { Rule } from './rule.ts';
import { garbage } from './rules/garbage.ts';
import { language } from './rules/language.ts';
import { firstObjection, RULES } from './rules.ts';
import type { Candidate } from './samples.ts';

export interface Decision {
  candidate: Candidate;
  /** Undefined for a kept sample. `rule` is what funnels count by, `reason` what was found. */
  dropped?: { rule: string; reason: string };
}

/**
 * Rules by stage. Pairs *describe* genres and audiences, so most rules for written texts do not apply; judged texts are bad
 * on purpose.
 */
const STAGE_RULES: Readonly<Record<StageName, readonly Rule[]>> = {
  pairs: [garbage, language],
  reformulate: RULES,
  judge: [],
};

/** Stages whose answers are written anew for each document, so that equal ones are repetition. */
const WRITING_STAGES: readonly StageName[] = ['pairs', 'reformulate'];

/**
 * Decides on the candidates of one stage, in this order: judge score, cleaning rules, duplicates, the caps on samples.
 *
 * @param judged whether the run scores texts at all; if so, a text without a score is dropped
 */
export function decide(
  stage: StageName,
  candidates: readonly Candidate[],
  recipe: Pick<Recipe, 'curate' | 'seed'>,
  judged: boolean,
): Decision[] {
  const { minScore, maxSamples, judge } = recipe.curate;
  const decisions: Decision[] = candidates.map((candidate) => {
    if (stage === 'reformulate' && judged) {
      if (candidate.score === null) return dropped(candidate, 'unscored', 'the judge gave no score');
      if (candidate.score < minScore)
        return dropped(candidate, 'score', `score ${candidate.score} is below ${minScore}`);
    }
    if (candidate.kind !== undefined && judge.kinds && !judge.kinds.includes(candidate.kind))
      return dropped(candidate, 'kind', `texts of kind ${candidate.kind} are not learned from`);
    const objection = firstObjection(candidate, recipe.curate, STAGE_RULES[stage] ?? []);
    return objection ? dropped(candidate, objection.rule, objection.reason) : { candidate };
  });
  dropDuplicates(stage, decisions);
  if (stage === 'judge') dropTeacherTexts(recipe.curate.judge.teacherTexts, decisions, recipe.seed);
  if (maxSamples !== undefined) dropBeyond(maxSamples, stage, decisions, recipe.seed);
  return decisions;
}

function dropped(candidate: Candidate, rule: string, reason: string): Decision {
  return { candidate, dropped: { rule, reason } };
}

function dropDuplicates(stage: StageName, decisions: Decision[]): void {
  // The same text judged against two documents is two samples, and so is the same label of two.
  const scope = ({ row }: Candidate) => (WRITING_STAGES.includes(stage) ? '' : row.doc_id);
  // A spoilt text is meant to be close to the good one.
  const written = keptOf(decisions).filter(({ candidate }) => candidate.origin !== 'made');
  const groups = groupBy(written, ({ candidate }) => scope(candidate));
  for (const group of groups.values()) {
    const duplicates = nearDuplicates(group.map(({ candidate: { row, text } }) => ({ id: row.id, text })));
    for (const decision of group) {
      const found = duplicates.get(decision.candidate.row.id);
      if (!found) continue;
      decision.dropped = {
        rule: 'near-duplicate',
        reason: `${Math.round(100 * found.similarity)}% of its 5-word runs are those of ${found.of}`,
      };
    }
  }
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

/** Keeps whole documents, drawn by seed, because samples of one document share its encoding in training; then part of one more. */
function dropBeyond(maxSamples: number, stage: StageName, decisions: Decision[], seed: number): void {
  const train = keptOf(decisions).filter(({ candidate }) => candidate.split === 'train');
  const groups = groupBy(train, ({ candidate }) => candidate.row.doc_id);
  const drawn = randomStream(seed, 'curate', stage).shuffle([...groups.keys()]);
  for (const decision of drawn.flatMap((docId) => groups.get(docId)!).slice(maxSamples)) {
    decision.dropped = { rule: 'max-samples', reason: `${maxSamples} samples were drawn without it` };
  }
}

function keptOf(decisions: readonly Decision[]): Decision[] {
  return decisions.filter((decision) => !decision.dropped);
}
