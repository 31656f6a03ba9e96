import { expect, test } from 'vitest';
import { randomStream } from '../foundation/random.ts';
import { humanCorrection, type LabelledOutput } from './human-correction.ts';

const options = { seed: 1, resamples: 200 };

/** `outputs` of one judge's score, the first `labelled` with a label, of which the first `passed` pass. */
function stratum(score: number | null, outputs: number, labelled: number, passed: number): LabelledOutput[] {
  return Array.from({ length: outputs }, (_, i) => ({
    docId: `d${i % 10}`,
    score,
    ...(i < labelled && { human: i < passed ? 4 : 1 }),
  }));
}

test('humanCorrection() weighs labels by how the outputs of each score were drawn', () => {
  // 800 of 1000 pass the judge, but as many labels were drawn of the few others.
  const outputs = [
    ...stratum(5, 600, 20, 15),
    ...stratum(3, 200, 20, 10),
    ...stratum(2, 150, 20, 4),
    ...stratum(1, 50, 20, 0),
  ];
  const found = humanCorrection(outputs, 3, options);
  const [bothPass, missed] = [600 * 0.75 + 200 * 0.5, 150 * 0.2];
  expect(found).toMatchObject({ texts: 80, rate: 0.8 });
  expect(found.sensitivity).toBeCloseTo(bothPass / (bothPass + missed), 12);
  expect(found.specificity).toBeCloseTo((200 - missed) / (200 - missed + 800 - bothPass), 12);
  expect(found.corrected).toBeCloseTo((bothPass + missed) / 1000, 12);
  // Rogan and Gladen's formula gives the same.
  const { sensitivity, specificity, rate } = found as { sensitivity: number; specificity: number; rate: number };
  expect((rate + specificity - 1) / (sensitivity + specificity - 1)).toBeCloseTo(found.corrected!, 12);
});

test('humanCorrection() lets labelled scores speak for unlabelled ones of their side, and for no others', () => {
  const some = humanCorrection(
    [...stratum(5, 60, 10, 5), ...stratum(4, 20, 0, 0), ...stratum(1, 20, 10, 0)],
    3,
    options,
  );
  expect(some.corrected).toBeCloseTo(0.4, 12);
  const none = humanCorrection([...stratum(5, 60, 10, 5), ...stratum(1, 20, 0, 0)], 3, options);
  expect(none).toMatchObject({ texts: 10, sensitivity: null, specificity: null, corrected: null, corrected_ci: null });
});

test('humanCorrection() asks nobody about outputs that are no texts', () => {
  const failed = Array.from({ length: 20 }, (_, i) => ({ docId: `d${i % 10}`, score: null, failed: true }));
  const found = humanCorrection([...stratum(5, 80, 20, 10), ...failed], 3, options);
  expect(found).toMatchObject({ rate: 0.8, sensitivity: 1, specificity: 20 / 60, corrected: 0.4 });
});

test('humanCorrection() is not certain where no error of the judge was seen', () => {
  const { corrected, corrected_ci } = humanCorrection(
    [...stratum(5, 50, 10, 10), ...stratum(1, 50, 10, 0)],
    3,
    options,
  );
  expect(corrected).toBe(0.5);
  // Ten documents without an error: up to 1 - 0.025^(1/10) = 30.8% of the half.
  expect(corrected_ci![0]).toBeCloseTo(0.5 - 0.5 * (1 - 0.025 ** 0.1), 12);
  expect(corrected_ci![1]).toBeCloseTo(0.5 + 0.5 * (1 - 0.025 ** 0.1), 12);
});

test('humanCorrection() takes the difference to the reference arm, and what both share cancels', () => {
  // Documents are hard or easy for both arms alike; the student fails one text more in each.
  const arm = (lost: number) =>
    Array.from({ length: 200 }, (_, i) => {
      const [doc, k] = [Math.floor(i / 5), i % 5];
      const good = k >= (doc % 4) + lost;
      return { docId: `d${doc}`, score: good ? 5 : 4, human: good ? 4 : 1 };
    });
  const found = humanCorrection(arm(1), 3, options, arm(0));
  expect(found.corrected_diff).toBeCloseTo(-0.2, 12);
  expect(found.corrected_diff_ci![0]).toBeCloseTo(-0.2, 12);
  expect(found.corrected_ci![1] - found.corrected_ci![0]).toBeGreaterThan(0.1);
  const unknown = humanCorrection(arm(1), 3, options, [{ docId: 'd1', score: 4 }]);
  expect(unknown).not.toHaveProperty('corrected_diff');
});

test('humanCorrection() covers the true rate where labels are drawn by score, and labels as they are do not hit it', () => {
  const random = randomStream(11);
  let [covered, weighted, plain] = [0, 0, 0];
  const runs = 200;
  for (let run = 0; run < runs; run++) {
    const truths: boolean[] = [];
    const outputs = Array.from({ length: 40 }, (_, d) => {
      // Documents differ in how hard they are.
      const easy = 0.5 + 0.8 * (random.uniform() - 0.5);
      return Array.from({ length: 5 }, () => {
        const good = random.uniform() < easy;
        truths.push(good);
        const passes = random.uniform() < (good ? 0.95 : 0.6);
        return { docId: `d${d}`, score: passes ? 3 + random.integer(3) : 1 + random.integer(2), good };
      });
    }).flat();
    const drawn = new Set(
      [1, 2, 3, 4, 5].flatMap((level) => random.shuffle(outputs.filter(({ score }) => score === level)).slice(0, 12)),
    );
    const found = humanCorrection(
      outputs.map((output) => ({ ...output, ...(drawn.has(output) && { human: output.good ? 5 : 1 }) })),
      3,
      { seed: run, resamples: 200 },
    );
    const truth = truths.filter(Boolean).length / truths.length;
    if (found.corrected_ci![0] <= truth && truth <= found.corrected_ci![1]) covered++;
    weighted += (found.corrected! - truth) / runs;
    plain += ([...drawn].filter(({ good }) => good).length / drawn.size - truth) / runs;
  }
  expect(Math.abs(weighted)).toBeLessThan(0.01);
  expect(plain).toBeLessThan(-0.05);
  expect(covered / runs).toBeGreaterThan(0.92);
});
