import { describe, expect, it } from 'vitest';
import { recipeSchema } from '../recipe/schema.ts';
import { breakEven } from './break-even.ts';
import type { DocumentAnswers, RequestGroup } from './request-groups.ts';

const teacher = {
  kind: 'openai' as const,
  model: 'labeler',
  price: { inputPerMillion: 1, outputPerMillion: 10 },
};

const recipe = (machineUsdPerHour?: number) =>
  recipeSchema.parse({
    name: 'x',
    corpus: { path: 'x' },
    teacher,
    plan: machineUsdPerHour === undefined ? {} : { machineUsdPerHour },
    students: [{ name: 'writer', stages: ['pairs', 'reformulate'] }],
  });

/** 1,000 prompt tokens and 100 answer tokens a request: $0.002. */
const answered = (requests: number): DocumentAnswers => ({
  requests,
  weight: 4000 * requests,
  promptTokens: 1000 * requests,
  cachedPromptTokens: 0,
  completionTokens: 100 * requests,
  direct: requests,
  latencyMs: 0,
});

const group = (stage: string, perDocument: number, answers: DocumentAnswers[]): RequestGroup => ({
  stage,
  model: 'labeler',
  settings: recipe().teacher,
  maxTokens: 1000,
  total: 0,
  estimated: false,
  answered: 0,
  failed: 0,
  ahead: { requests: 0, weight: 0, documents: 0 },
  characters: 0,
  perDocument,
  typicalWeight: 4000,
  answers,
  previews: [],
});

const known = [
  group('pairs', 1, [answered(1), answered(1)]),
  group('reformulate', 5, [answered(5), answered(5)]),
  // What judges cost is no part of what the students take over.
  group('judge', 5, [answered(5), answered(5)]),
];
const price = {
  spent: 6,
  usd: 10,
  estimate: { usd: { value: 4, low: 3, high: 5 }, seconds: null, documents: 2, without: [] },
};
const speed = { arm: 'student-w8a8', secondsPerDocument: 3.6, stages: [] };

describe('breakEven()', () => {
  it('sets labels and training against the difference of a document', () => {
    const found = breakEven(recipe(2), known, price, speed, 7209);
    // Six requests of $0.002 a document; 3.6 s of a machine at $2 an hour are $0.002.
    expect(found.teacher!.usd.value).toBeCloseTo(12_000, 6);
    expect(found.student).toMatchObject({ arm: 'student-w8a8', seconds: 3.6e6 });
    expect(found.student!.usd).toBeCloseTo(2000, 6);
    expect(found.once).toEqual({ labelsUsd: 10, trainingSeconds: 7209, trainingUsd: (7209 / 3600) * 2 });
    // 14.005 / (0.012 - 0.002)
    expect(found.cheaperAfter).toBe(1401);
  });

  it('counts a machine without a price as nothing, and says that students are never cheaper where they are not', () => {
    const free = breakEven(recipe(), known, price, undefined, null);
    expect(free).toMatchObject({ cheaperAfter: 834, machineUsdPerHour: null, student: null });
    expect(breakEven(recipe(12.1), known, price, speed, 7200).cheaperAfter).toBe('never');
    expect(breakEven(recipe(2), known, price, undefined, 7200).cheaperAfter).toBeNull();
  });

  it('falls back to the most before anything was answered', () => {
    const found = breakEven(recipe(), [group('pairs', 1, []), group('reformulate', 5, [])], price, speed, 1);
    expect(found.teacher).toMatchObject({ atMost: true });
    expect(found.teacher!.usd.value).toBeCloseTo(6 * (1000 + 10 * 1000), 6);
  });
});
