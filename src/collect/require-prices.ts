/** A cap on spend needs the price of everyone who is asked: what is missing is told before anything is paid. */

import { UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import { collectedStages } from '../stage/recipe-stages.ts';
import { priceOf, priceOfModel } from '../teacher/price.ts';
import { providerSettings } from '../teacher/provider-settings.ts';
import { validationJudging } from './judges.ts';

/** Someone without a known price, and the key of the recipe where the price belongs. */
interface Unpriced {
  model: string;
  key: string;
}

/** @throws UserError where `budget.usd` is set and the price of a model that the run asks, up to its table, is not known */
export function requirePrices(recipe: Recipe): void {
  if (recipe.budget.usd === undefined) return;
  const unpriced = [...askedSections(recipe)].flatMap(([settings, section]) => unpricedServers(settings, section));
  unpriced.push(...unpricedArms(recipe));
  if (unpriced.length === 0) return;
  throw new UserError(
    `Cannot keep to budget.usd: no price is known for ${unpriced.map(({ model }) => model).join(', ')}`,
    `Give ${unpriced.map(({ key }) => key).join(' and ')} in the recipe ({inputPerMillion: ..., outputPerMillion: ...}, 0 for a server of your own), or leave budget.usd out`,
  );
}

/** Each section that asks someone, by its settings; one that another falls back to is named once. */
function askedSections(recipe: Recipe): Map<Recipe['teacher'], string> {
  const { teacher, judge, validate, rounds } = recipe;
  const sections = new Map([[teacher, 'teacher']]);
  const add = (settings: Recipe['teacher'] | undefined, name: string) => {
    if (settings !== undefined && !sections.has(settings)) sections.set(settings, name);
  };
  if (collectedStages(recipe).some(({ name, judges }) => name === 'judge' || judges !== undefined)) {
    add(judge.teacher, 'judge.teacher');
    add(judge.second, 'judge.second');
    if (rounds.count > 1 && rounds.rejudge > 0) add(rounds.rejudgeBy, 'rounds.rejudgeBy');
  }
  if (validate.judge.kind === 'teacher' || validate.judge.cascade !== undefined) {
    const named = (own: unknown, key: string) => `${own === undefined ? 'judge' : 'validate.judge'}.${key}`;
    const judging = validationJudging(recipe);
    add(judging.teacher, named(validate.judge.teacher, 'teacher'));
    add(judging.second, named(validate.judge.second, 'second'));
  }
  return sections;
}

function unpricedServers(settings: Recipe['teacher'], section: string): Unpriced[] {
  return providerSettings(settings).flatMap(({ name, settings: server }) =>
    server.kind === 'recorded' || priceOf(server) !== undefined
      ? []
      : [{ model: server.model, key: `${section}.${name === undefined ? '' : `providers (${name}).`}price` }],
  );
}

function unpricedArms({ validate }: Recipe): Unpriced[] {
  return validate.arms.flatMap((arm) =>
    typeof arm === 'string' || arm.kind !== 'server' || priceOfModel(arm) !== undefined
      ? []
      : [{ model: arm.model, key: `validate.arms (${arm.name}).price` }],
  );
}
