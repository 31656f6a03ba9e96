import { describe, expect, it } from 'vitest';
import { type RecipeInput, recipeSchema } from '../recipe/schema.ts';
import { requirePrices } from './require-prices.ts';

const price = { inputPerMillion: 1, outputPerMillion: 2 };
const server = (model: string) => ({ kind: 'openai' as const, model });

function recipe(changes: Partial<RecipeInput>) {
  return recipeSchema.parse({
    name: 'prices',
    corpus: { path: 'documents.jsonl' },
    teacher: { ...server('labeler'), price },
    budget: { usd: 1 },
    students: [{ name: 'writer', stages: ['reformulate'] }],
    ...changes,
  });
}

/** Models without a price, and the keys it is missing from. */
function missing(changes: Partial<RecipeInput>): { models: string; keys: string } | undefined {
  try {
    requirePrices(recipe(changes));
    return undefined;
  } catch (error) {
    const { message, hint } = error as { message: string; hint: string };
    const models = /no price is known for (.+)$/.exec(message)?.[1];
    const keys = /^Give (.+) in the recipe \(/.exec(hint)?.[1];
    return { models: models!, keys: keys! };
  }
}

describe('requirePrices()', () => {
  it('wants nothing without a cap, of a recording, and of models whose price is given or listed', () => {
    expect(missing({})).toBeUndefined();
    expect(missing({ teacher: server('unheard-of'), budget: {} })).toBeUndefined();
    expect(missing({ teacher: { kind: 'recorded', folder: 'f' } })).toBeUndefined();
    expect(missing({ judge: { teacher: server('gpt-4.1-mini') } })).toBeUndefined();
  });

  it.each<[string, Partial<RecipeInput>, string, string]>([
    ['labeler', { teacher: server('a') }, 'a', 'teacher.price'],
    [
      'judges',
      { judge: { teacher: server('a'), second: server('b') } },
      'a, b',
      'judge.teacher.price and judge.second.price',
    ],
    [
      'judge of validation',
      { validate: { judge: { kind: 'teacher', teacher: server('a') } } },
      'a',
      'validate.judge.teacher.price',
    ],
    [
      'cascade',
      { validate: { judge: { cascade: { below: 0.9 }, second: server('a') } } },
      'a',
      'validate.judge.second.price',
    ],
    [
      'one judge for both, named once',
      { judge: { teacher: server('a') }, validate: { judge: { kind: 'teacher' } } },
      'a',
      'judge.teacher.price',
    ],
    ['rounds', { rounds: { count: 2, rejudgeBy: server('a') } }, 'a', 'rounds.rejudgeBy.price'],
    [
      'provider',
      { teacher: { ...server('m'), price, providers: [{ name: 'own' }, { name: 'other', model: 'a' }] } },
      'a',
      'teacher.providers (other).price',
    ],
    [
      'arm',
      {
        validate: {
          arms: ['teacher', { kind: 'server', name: 'rival', model: 'a', baseUrl: 'http://localhost:1/v1' }],
        },
      },
      'a',
      'validate.arms (rival).price',
    ],
  ])('names the model of the %s and the key of its price', (_, changes, models, keys) => {
    expect(missing(changes)).toEqual({ models, keys });
  });

  it('asks for no price of judges that nobody asks', () => {
    expect(missing({ validate: { judge: { teacher: server('a') } } })).toBeUndefined();
    expect(missing({ collect: { stages: ['pairs', 'reformulate'] }, judge: { teacher: server('a') } })).toBeUndefined();
  });
});
