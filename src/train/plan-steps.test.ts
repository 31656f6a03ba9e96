import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planPasses, planSteps } from './plan-steps.ts';

/** The document of each sample, documents mixed. */
const documents = fc.array(fc.integer({ min: 0, max: 6 }).map(String), { minLength: 1, maxLength: 30 });
const settings = fc.record({ epochs: fc.integer({ min: 1, max: 3 }), samplesPerStep: fc.integer({ min: 1, max: 9 }) });

const countOf = (list: readonly string[], document: string) => list.filter((one) => one === document).length;

describe('planSteps()', () => {
  it('keeps the samples of a document side by side, in as few steps an epoch as can take them', () => {
    fc.assert(
      fc.property(documents, settings, fc.nat(), (list, plan, seed) => {
        const stepsOf = new Map<string, number>();
        for (const step of planSteps(list, plan, seed)) {
          const order = step.map((i) => list[i]!);
          const runs = order.filter((document, i) => document !== order[i - 1]);
          expect(new Set(runs).size).toBe(runs.length);
          for (const document of runs) {
            stepsOf.set(document, (stepsOf.get(document) ?? 0) + 1);
            const parts = Math.ceil(countOf(list, document) / plan.samplesPerStep);
            const even = countOf(list, document) / parts;
            expect(Math.abs(countOf(order, document) - even)).toBeLessThan(1);
          }
        }
        for (const [document, count] of stepsOf) {
          expect(count).toBe(plan.epochs * Math.ceil(countOf(list, document) / plan.samplesPerStep));
        }
      }),
    );
  });

  it('sees every sample once an epoch', () => {
    fc.assert(
      fc.property(documents, settings, fc.nat(), (list, plan, seed) => {
        const seen = planSteps(list, plan, seed).flat();
        for (const i of list.keys()) expect(seen.filter((one) => one === i).length).toBe(plan.epochs);
      }),
    );
  });

  it('has no more samples in a step than asked for, and ends none that had room for the next document', () => {
    fc.assert(
      fc.property(documents, settings, fc.nat(), (list, plan, seed) => {
        const steps = planSteps(list, { ...plan, epochs: 1 }, seed);
        for (const [i, step] of steps.entries()) {
          expect(step.length).toBeLessThanOrEqual(plan.samplesPerStep);
          const next = steps[i + 1];
          if (!next) continue;
          const first = list[next[0]!]!;
          const part = next.filter((sample) => list[sample] === first).length;
          expect(step.length + part).toBeGreaterThan(plan.samplesPerStep);
        }
      }),
    );
  });

  it('is a function of the seed, and shuffles each epoch anew', () => {
    const list = Array.from({ length: 20 }, (_, i) => `d${i}`);
    const plan = (seed: number) => planSteps(list, { epochs: 2, samplesPerStep: 1 }, seed);
    expect(plan(1)).toEqual(plan(1));
    expect(plan(1)).not.toEqual(plan(2));
    expect(plan(1).slice(0, 20)).not.toEqual(plan(1).slice(20));
  });

  it('stops within an epoch where epochs are not whole, and at the most steps allowed', () => {
    const list = Array.from({ length: 10 }, (_, i) => `d${i}`);
    expect(planSteps(list, { epochs: 1.5, samplesPerStep: 2 }, 0).flat().length).toBe(15);
    expect(planSteps(list, { epochs: 1, samplesPerStep: 2, maxSteps: 3 }, 0).length).toBe(3);
    expect(planSteps(list, { epochs: 0.01, samplesPerStep: 2 }, 0)).toHaveLength(1);
  });
});

describe('planPasses()', () => {
  it('cuts a step between documents, in order, under the tokens allowed where a document lets it', () => {
    fc.assert(
      fc.property(documents, fc.integer({ min: 1, max: 40 }), fc.nat(), (list, allowed, seed) => {
        const lengths = list.map((_, i) => 1 + ((i * 7) % 11));
        const [step] = planSteps(list, { epochs: 1, samplesPerStep: list.length }, seed) as [number[]];
        const passes = planPasses(step, list, lengths, allowed);
        expect(passes.flat()).toEqual(step);
        for (const [k, pass] of passes.entries()) {
          const names = new Set(pass.map((i) => list[i]!));
          const tokens = pass.reduce((sum, i) => sum + lengths[i]!, 0);
          if (names.size > 1) expect(tokens).toBeLessThanOrEqual(allowed);
          const next = passes[k + 1];
          if (!next) continue;
          expect(names.has(list[next[0]!]!)).toBe(false);
          // Nothing is cut that would have fitted.
          const following = next.filter((i) => list[i] === list[next[0]!]);
          expect(tokens + following.reduce((sum, i) => sum + lengths[i]!, 0)).toBeGreaterThan(allowed);
        }
      }),
    );
  });
});
