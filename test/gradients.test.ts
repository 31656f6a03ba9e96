/**
 * Every derivative against central differences, by random projection (HIPS autograd's check_vjp): for random u and v,
 * <vjp(u), v> must equal d/dt <u, f(x + t v)> at t = 0. All in float64, on the reference ops.
 */

import { describe, expect, it } from 'vitest';
import { gradient } from '../src/graph/gradient.ts';
import { GraphBuilder, type Value } from '../src/graph/graph.ts';
import type { OpName } from '../src/graph/ops/op-name.ts';
import { OPS } from '../src/graph/ops/table.ts';
import { verifyGraph } from '../src/graph/verify.ts';
import './matchers.ts';
import { buildCase, drawNormal, int8Weight, type OpCase } from './op-case.ts';
import { ALL_CASES, OP_CASES } from './op-cases.ts';
import { type Dense, evaluate, int8MatMul, toDense } from './reference.ts';

/** Near the cube root of float64's rounding: truncation (eps^2) and cancellation (1e-16 / eps) both stay below 1e-9. */
const EPSILON = 1e-6;
const TOLERANCE = 1e-6;

const dot = (a: Dense, b: Dense) => a.data.reduce((total, x, i) => total + x * b.data[i]!, 0);
const step = (x: Dense, v: Dense, t: number): Dense => ({ ...x, data: x.data.map((e, i) => e + t * v.data[i]!) });

interface Derivatives {
  readonly target: string;
  /** <vjp(u), v>, or null where the gradient is null. */
  readonly analytic: number | null;
  /** (<u, f(x + eps v)> - <u, f(x - eps v)>) / (2 eps). */
  readonly numeric: number;
}

/** Both derivatives along a random direction of each target in turn. */
function derivatives(opCase: OpCase): Derivatives[] {
  const { g, outputs, targets, feeds } = buildCase(new GraphBuilder(), opCase, 'float64');
  const x = Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toDense(tensor)]));
  const seeds = outputs.map((output, i) => g.input(`seed.${i}`, output.dtype, output.shape));
  const us = seeds.map((seed, i) => toDense(drawNormal(seed.shape, 'float64', opCase.name, 'seed', String(i))));
  const grads = gradient(g, outputs, seeds, Object.values(targets));
  const present = grads.filter((grad): grad is Value => grad !== null);
  verifyGraph(present);
  const seedFeeds = Object.fromEntries(us.map((u, i) => [`seed.${i}`, u]));
  const results = evaluate(present, { ...x, ...seedFeeds });
  const evaluated = new Map(present.map((value, i) => [value, results[i]!]));

  return Object.entries(targets).map(([target, value], i) => {
    const v = toDense(drawNormal(value.shape, 'float64', opCase.name, 'direction', target));
    const projected = (t: number) => {
      const moved = evaluate(outputs, { ...x, [target]: step(x[target]!, v, t) });
      return moved.reduce((total, output, j) => total + dot(us[j]!, output), 0);
    };
    const grad = grads[i] ?? null;
    if (grad) expect(grad.shape).toEqual(value.shape);
    return {
      target,
      analytic: grad && dot(evaluated.get(grad)!, v),
      numeric: (projected(EPSILON) - projected(-EPSILON)) / (2 * EPSILON),
    };
  });
}

/** Their forward rounds, so differences see steps: held against its own reference below. */
const STRAIGHT_THROUGH: ReadonlySet<OpName> = new Set(['Int8MatMul']);

const opNames = Object.keys(OP_CASES) as OpName[];
const skipped = new Set(
  opNames.filter((op) => OP_CASES[op].forwardOnly || STRAIGHT_THROUGH.has(op)).flatMap((op) => OP_CASES[op].cases),
);

describe('gradient() against central differences', () => {
  it.each(ALL_CASES.filter((c) => !skipped.has(c)).map((c) => [c.name, c] as const))('%s', (_name, opCase) => {
    for (const { target, analytic, numeric } of derivatives(opCase)) {
      expect(analytic ?? 0, target).toBeRelativelyNear(numeric, TOLERANCE);
      expect(analytic === null, `the gradient of ${target} is null`).toBe(target === 'unused');
    }
  });

  it('notices a wrong derivative', () => {
    const wrong = ALL_CASES.find((c) => c.name === 'a value times itself')!;
    const [{ analytic, numeric } = { analytic: 0, numeric: 0 }] = derivatives(wrong);
    expect(analytic! * (1 + 1e-4)).not.toBeRelativelyNear(numeric, TOLERANCE);
  });

  it('of a gradient is a second derivative', () => {
    const second: OpCase = {
      name: 'second derivative',
      inputs: { x: { kind: 'drawn', shape: [2, 3], map: (x) => x } },
      build(g, { x }) {
        const y = g.op('Mul', [g.op('Tanh', [x!]), g.op('Softmax', [x!])]);
        const ones = g.op('Expand', [g.scalar(1, x!.dtype)], { shape: y.shape });
        return [gradient(g, [y], [ones], [x!])[0]!];
      },
    };
    for (const { analytic, numeric } of derivatives(second)) expect(analytic).toBeRelativelyNear(numeric, TOLERANCE);
  });
});

describe('derivatives of the op table', () => {
  it.each(opNames)('%s has a derivative, or a reason why not', (op) => {
    expect(OPS[op].vjp === undefined).toBe(OP_CASES[op].forwardOnly !== undefined);
  });
});

describe('Int8MatMul straight through', () => {
  it.each([false, true])('gives quantize(dy * u) back * backScale, on the forward grid; units %s', (hasUnits) => {
    const { w, scale, back, backScale, units } = int8Weight(12, 20, 'straight through');
    const g = new GraphBuilder();
    const input = (name: string, shape: number[]) => g.input(name, 'float32', shape);
    const x = input('x', [5, 12]);
    const weights = [w, scale, back, backScale, ...(hasUnits ? [units] : [])].map((tensor) => g.constant(tensor));
    const dy = input('dy', [5, 20]);
    const [dx] = gradient(g, [g.op('Int8MatMul', [x, ...weights])], [dy], [x]);

    const feed = toDense(drawNormal([5, 20], 'float32', 'straight through', 'dy'));
    // A row without gradient (a padded token) must stay one.
    feed.data.fill(0, 20, 40);
    const u = toDense(units).data;
    const scaled = hasUnits ? { ...feed, data: feed.data.map((e, i) => e * u[i % 20]!) } : feed;
    const [found] = evaluate([dx!], { dy: feed });
    expect(found!).toBeNearTensor(int8MatMul(scaled, toDense(back), toDense(backScale)), 1e-12);
    expect(Array.from(found!.data.subarray(12, 24))).toEqual(Array(12).fill(0));
  });
});
