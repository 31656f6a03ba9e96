/**
 * How far one judge of a run's outputs is from another, whose scores count as right.
 *
 *   npx tsx eval/blind/compare-judges.ts SCORES REFERENCE [OUT]
 *
 * Both files hold lines as validation/scores.jsonl does. Prints, and writes to OUT, the agreement over all outputs of models that
 * both scored, then by arm, with each arm's share of scores of 3 or more by both.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { agreement } from '../../src/judge/agreement.ts';
import { PASSING_SCORE, type ScoredItem } from '../../src/validate/scored-item.ts';

const OPTIONS = { seed: 1, resamples: 2000 };

const [scoresPath, referencePath, out] = process.argv.slice(2);
if (!scoresPath || !referencePath) throw new Error('Usage: compare-judges.ts SCORES REFERENCE [OUT]');

const readScores = (path: string) =>
  readFileSync(path, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as ScoredItem)
    .filter(({ stage }) => stage === 'reformulate');
const keyOf = ({ arm, item }: ScoredItem) => `${arm} ${item}`;

const reference = new Map(readScores(referencePath).map((item) => [keyOf(item), item.score]));
const pairs = readScores(scoresPath).flatMap((item) => {
  const right = reference.get(keyOf(item));
  if (item.score === null || right === null || right === undefined) return [];
  return [{ docId: item.doc_id, kind: item.arm, reference: right, score: item.score }];
});
const share = (scores: readonly number[]) => scores.filter((score) => score >= PASSING_SCORE).length / scores.length;
const made = pairs.filter(({ kind }) => kind !== 'teacher').map((pair) => ({ ...pair, kind: 'student' }));
const { kappa, kappa_ci, kappa_texts, kappa_documents, confusion } = agreement(made, OPTIONS);
const byArm = agreement(pairs, OPTIONS).by_kind.map(({ kind, ...rest }) => {
  const own = pairs.filter((pair) => pair.kind === kind);
  const rate = share(own.map(({ score }) => score));
  const referenceRate = share(own.map(({ reference }) => reference));
  return { arm: kind, ...rest, rate, reference_rate: referenceRate };
});
// The headline leaves out the teacher's texts: they are easy to tell, and would flatter.
const result = { kappa, kappa_ci, kappa_texts, kappa_documents, confusion, by_arm: byArm };
const text = `${JSON.stringify(result, null, 1)}\n`;
process.stdout.write(text);
if (out) writeFileSync(out, text);
