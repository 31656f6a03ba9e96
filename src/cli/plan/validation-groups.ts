/** What validation will ask for money: an LLM that judges the outputs of all arms, and arms that are servers. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Material } from '../../collect/collected.ts';
import { judgesOf, type LlmJudge, validationJudging } from '../../collect/judges.ts';
import type { RunFolder } from '../../foundation/run-folder.ts';
import type { RequestGroup } from '../../price/request-groups.ts';
import type { Recipe } from '../../recipe/schema.ts';
import { ownJudgeStage } from '../../stage/own-judge.ts';
import { tableStages } from '../../stage/recipe-stages.ts';
import { reformulateStage } from '../../stage/reformulate.ts';
import type { AnyStage, SourceDocument } from '../../stage/stage.ts';
import { TYPICAL_PAIR } from '../../stage/stand-in.ts';
import { CANARIES } from '../../validate/canaries.ts';
import { serverSettings } from '../../validate/server-arm.ts';

/** Groups of `validate`, at most; none once it is complete. `collected` lends answers of the same judge. */
export async function validationGroups(
  recipe: Recipe,
  folder: RunFolder,
  { documents, splits }: Material,
  collected: readonly RequestGroup[],
): Promise<RequestGroup[]> {
  if (existsSync(join(folder.validation, 'manifest.json'))) return [];
  const count = Math.min(recipe.validate.documents ?? splits.validation.length, splits.validation.length);
  const used = splits.validation.flatMap((id) => documents.get(id) ?? []);
  const outputs = (stage: AnyStage) => count * (stage.unit === 'pair' ? recipe.validate.pairsPerDocument : 1);
  const stages = tableStages(recipe);
  const servers = recipe.validate.arms.flatMap((arm) => {
    if (typeof arm === 'string' || arm.kind !== 'server') return [];
    return stages
      .filter(({ name }) => arm.stages?.includes(name) ?? true)
      .map((stage) => {
        const asked = {
          stage: `validate: ${stage.name} by ${arm.name}`,
          model: arm.model,
          settings: serverSettings(arm),
        };
        const prompt = arm.prompt === 'teacher' ? stage.teacherPrompt : stage.studentPrompt;
        return groupOf({ ...asked, maxTokens: stage.maxTokens, prompt }, outputs(stage), used, count, []);
      });
  });
  const { kind, cascade } = recipe.validate.judge;
  if (kind !== 'teacher' && cascade === undefined) return servers;
  const groups: RequestGroup[] = [];
  for (const judged of stages) {
    const definition = recipe.stages[judged.name];
    const rubric = definition && ownJudgeStage(judged.name, definition);
    // A cascade asks about every reformulation at most, and about nothing else.
    if (judged.name !== reformulateStage.name && (rubric === undefined || kind !== 'teacher')) continue;
    const canaries = rubric ? 0 : Math.min(CANARIES, outputs(judged));
    const texts = armsOf(recipe, judged.name) * outputs(judged) + canaries;
    const judges = await judgesOf(validationJudging(recipe), recipe.teacher, rubric);
    const ofJudge = ({ name, settings, stage, repeats }: LlmJudge): RequestGroup => {
      const same = collected.find((one) => one.stage === stage.name && one.model === name);
      const prompt: AnyStage['teacherPrompt'] = (input) => stage.teacherPrompt(input);
      const asked = { stage: `validate: ${stage.name}`, model: name, settings, maxTokens: stage.maxTokens, prompt };
      return groupOf(asked, texts * repeats, used, count, same?.answers ?? []);
    };
    groups.push(ofJudge(judges.first), ...(judges.second ? [ofJudge(judges.second)] : []));
  }
  return [...servers, ...groups];
}

/** Rows of a stage's table: own students stand in it once each, everything else once. */
function armsOf({ students, validate }: Recipe, stage: string): number {
  const learners = students.filter(({ stages }) => stages.includes(stage)).length;
  return validate.arms.reduce((sum, arm) => {
    if (typeof arm === 'string') return sum + (arm.startsWith('student') ? learners : 1);
    return sum + ((arm.stages?.includes(stage) ?? true) ? 1 : 0);
  }, 0);
}

/** Requests that are not known one by one, of the mean length of prompts about the documents in `used`. */
export function groupOf(
  asked: Pick<RequestGroup, 'stage' | 'model' | 'settings' | 'maxTokens'> & { prompt: AnyStage['teacherPrompt'] },
  requests: number,
  used: readonly SourceDocument[],
  documents: number,
  answers: RequestGroup['answers'],
): RequestGroup {
  const { prompt, ...head } = asked;
  const lengths = used.map((document) =>
    prompt({ document, text: document.text, pair: TYPICAL_PAIR }).reduce((sum, { content }) => sum + content.length, 0),
  );
  const typicalWeight = lengths.reduce((sum, length) => sum + length, 0) / Math.max(1, lengths.length);
  const weight = requests * typicalWeight;
  return {
    ...head,
    total: requests,
    estimated: true,
    answered: 0,
    failed: 0,
    ahead: { requests, weight, documents },
    characters: weight,
    perDocument: 0,
    typicalWeight,
    answers,
    previews: [],
  };
}
