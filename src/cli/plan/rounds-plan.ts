/** What several rounds mean for a plan: how many documents each labels, what is asked between them, and a corpus that is too small. */

import type { Material } from '../../collect/collected.ts';
import type { LlmJudge } from '../../collect/judges.ts';
import { judgesOf } from '../../collect/judges.ts';
import { roundSize } from '../../corpus/round-documents.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import type { RequestGroup } from '../../price/request-groups.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { steeringJudge } from '../../rounds/judge-students.ts';
import { readSummary } from '../../rounds/round-outcome.ts';
import { learntStages } from '../../stage/recipe-stages.ts';
import { reformulateStage } from '../../stage/reformulate.ts';
import type { SourceDocument } from '../../stage/stage.ts';
import { CANARIES } from '../../validate/canaries.ts';
import { groupOf } from './validation-groups.ts';

export interface RoundsPlan {
  /** New training documents of each round, and about how many requests they take, with dev and validation in the first. */
  rounds: { round: number; documents: number; requests: number }[];
  /** Training documents the corpus really holds, where the rounds ask for more; else null. */
  held: number | null;
}

/**
 * The material as if the corpus held as many documents as the rounds ask for, by repeating those it has: prices and times go by
 * their number and length.
 *
 * @param material with the documents of all rounds
 */
export function grownMaterial(material: Material, { rounds }: Recipe): { material: Material; held: number | null } {
  const { splits } = material;
  const wanted = rounds.count * (rounds.documents ?? 0);
  if (rounds.count === 1 || wanted <= splits.train.length) return { material, held: null };
  const documents = new Map(material.documents);
  const grown = (ids: readonly string[]): string[] => {
    const size = Math.ceil((ids.length * wanted) / splits.train.length);
    return Array.from({ length: size }, (_, i) => {
      const id = ids[i % ids.length]!;
      return i < ids.length ? id : copyOf(documents, id, Math.floor(i / ids.length));
    });
  };
  const { train, dev, validation } = splits;
  const all = { train: grown(train), dev: grown(dev), validation: grown(validation) };
  return { material: { ...material, splits: all, documents }, held: train.length };
}

/** A document like another one. Its text differs by a mark, since equal requests are asked once. */
function copyOf(documents: Map<string, SourceDocument>, id: string, number: number): string {
  const original = documents.get(id)!;
  const copy = { ...original, id: `${id}~${number}`, text: `${original.text}\n~${number}` };
  documents.set(copy.id, copy);
  return copy.id;
}

/** Undefined for a run of one round. @param collected groups of all rounds' documents */
export function roundsPlan(
  recipe: Recipe,
  { splits }: Material,
  collected: readonly RequestGroup[],
  held: number | null,
): RoundsPlan | undefined {
  const { count } = recipe.rounds;
  if (count === 1) return undefined;
  const requests = collected.reduce((sum, { total }) => sum + total, 0);
  const { train, dev, validation } = splits;
  const all = train.length + dev.length + validation.length;
  const size = roundSize(train.length, recipe);
  const rounds = Array.from({ length: count }, (_, i) => {
    const documents = Math.max(0, Math.min(size, train.length - i * size));
    const others = i === 0 ? dev.length + validation.length : 0;
    return { round: i + 1, documents, requests: Math.round((requests * (documents + others)) / all) };
  });
  return { rounds: rounds.filter(({ documents }) => documents > 0), held };
}

/** What is asked between the rounds that are still to come, at most: what students write, and kept texts once more. */
export async function roundsGroups(
  recipe: Recipe,
  folder: RunFolder,
  { documents, splits }: Material,
  collected: readonly RequestGroup[],
): Promise<RequestGroup[]> {
  const { rounds, judge, teacher, validate } = recipe;
  const left = rounds.count - (readSummary(folder)?.rounds.length ?? 0);
  const isJudged = learntStages(recipe).some(({ name }) => name === reformulateStage.name);
  if (rounds.count === 1 || left < 1 || !isJudged || !recipe.collect.stages.includes('judge')) return [];
  const { first } = await judgesOf(judge, teacher);
  const again = rounds.rejudgeBy ? (await judgesOf({ ...judge, teacher: rounds.rejudgeBy }, teacher)).first : first;
  const used = splits.dev.flatMap((id) => documents.get(id) ?? []);
  const group = (stage: string, asked: LlmJudge, requests: number, about: number): RequestGroup[] => {
    if (asked.settings.kind === 'recorded' || requests === 0) return [];
    const same = collected.find((one) => one.stage === asked.stage.name && one.model === asked.name);
    const { name: model, settings } = asked;
    const parts = { stage, model, settings, maxTokens: asked.stage.maxTokens, prompt: asked.stage.teacherPrompt };
    return [groupOf(parts, requests, used, about, same?.answers ?? [])];
  };
  const dev = Math.min(rounds.devDocuments ?? splits.dev.length, splits.dev.length);
  const outputs = dev * validate.pairsPerDocument;
  const tried = 2 * Math.round(rounds.failed * roundSize(splits.train.length, recipe));
  const texts = left * outputs + Math.min(left, rounds.count - 1) * tried + Math.min(CANARIES, outputs);
  const steering = steeringJudge(recipe) === 'teacher' ? texts * first.repeats : 0;
  return [
    ...group('rounds: judge students', first, steering, dev),
    ...group('rounds: judge again', again, left * rounds.rejudge, Math.min(left * rounds.rejudge, splits.train.length)),
  ];
}
