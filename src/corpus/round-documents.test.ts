import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roundFolder, runFolder } from '../foundation/run-folder.ts';
import { parseRecipe } from '../recipe/load.ts';
import {
  documentsSoFar,
  drawRound,
  inDrawnOrder,
  readRoundDocuments,
  roundSize,
  writeRoundDocuments,
} from './round-documents.ts';

const ids = Array.from({ length: 20 }, (_, i) => `d-${i}`);
const recipe = (rounds: string) =>
  parseRecipe(
    `name: r\ncorpus: {path: x}\nteacher: {kind: recorded, folder: y}\nrounds: ${rounds}\nstudents: [{name: w, stages: [pairs]}]\n`,
    'r.yaml',
  );
const newFolder = () => runFolder(join(mkdtempSync(join(tmpdir(), 'rounds-')), 'run'));

test('roundSize() is the equal share where the recipe gives no number', () => {
  expect(roundSize(20, recipe('{count: 3}'))).toBe(7);
  expect(roundSize(20, recipe('{count: 3, documents: 4}'))).toBe(4);
});

test('drawRound() takes failures first, up to their share, and draws the rest blindly', () => {
  const failed = ['d-3', 'd-7', 'd-11', 'd-15'];
  const drawn = drawRound(ids, { failed, failedShare: 0.5, count: 6, seed: 1 });
  expect(drawn.failed).toEqual(['d-3', 'd-7', 'd-11']);
  expect(drawn.documents.slice(0, 3)).toEqual(drawn.failed);
  const blind = inDrawnOrder(ids, 1).filter((id) => !drawn.failed.includes(id));
  expect(drawn.documents.slice(3)).toEqual(blind.slice(0, 3));
});

test('drawRound() never draws a document twice, and as many as are wanted or left', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 20 }),
      fc.integer({ min: 1, max: 30 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 0, max: 20 }),
      (size, count, failedShare, failures) => {
        const left = ids.slice(0, size);
        const { documents, failed } = drawRound(left, { failed: left.slice(0, failures), failedShare, count, seed: 2 });
        expect(new Set(documents).size).toBe(documents.length);
        expect(documents).toHaveLength(Math.min(count, size));
        expect(failed.every((id) => documents.includes(id))).toBe(true);
      },
    ),
  );
});

test('inDrawnOrder() keeps the order of a part, and another seed gives another', () => {
  const whole = inDrawnOrder(ids, 1);
  expect(inDrawnOrder(ids.slice(5), 1)).toEqual(whole.filter((id) => ids.indexOf(id) >= 5));
  expect(inDrawnOrder(ids, 2)).not.toEqual(whole);
});

test('documentsSoFar() holds to what was drawn, and foretells what will be', () => {
  const folder = newFolder();
  const two = recipe('{count: 2}');
  const foretold = documentsSoFar(ids, two, folder);
  expect(foretold).toHaveLength(10);
  writeRoundDocuments(folder, 1, { documents: ['d-0', 'd-1'], failed: [] }, {});
  expect(readRoundDocuments(folder, 1)).toEqual({ documents: ['d-0', 'd-1'], failed: [] });
  expect(documentsSoFar(ids, two, folder)).toEqual(['d-0', 'd-1']);
  const both = documentsSoFar(ids, two, roundFolder(folder, 2));
  expect(both.slice(0, 2)).toEqual(['d-0', 'd-1']);
  expect(both).toHaveLength(12);
});
