/** How long finished students take a document, from the answers that validation had them give. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import { studentGenerate } from '../recipe/student-generate.ts';
import { PAIRS_PER_DOCUMENT } from '../stage/pairs.ts';
import { tableStages } from '../stage/recipe-stages.ts';

/** What is read of a line of validation/generations.jsonl. */
interface GenerationLine {
  arm: string;
  stage: string;
  /** Alone, from prompt to end. */
  seconds: number;
  tokens: number;
}

/** Arms that are this run's students, the form that is deployed first. */
const STUDENT_ARMS = ['student-w8a8', 'student-w8a8-beside', 'student-w8a8-merged', 'student'] as const;

export interface StudentSpeed {
  arm: string;
  /** Seconds of this machine a document, all stages together. */
  secondsPerDocument: number;
  /** `secondsPerAnswer`: each, where as many as a batch holds are decoded side by side. */
  stages: { stage: string; outputs: number; secondsPerAnswer: number; tokensPerSecond: number }[];
}

/**
 * The speed of the first kind of student that answered in every stage of the tables; undefined where none did. Sequences are decoded
 * side by side, so that each second of an output is shared by as many as a batch holds.
 */
export function studentSpeed(recipe: Recipe, folder: RunFolder): StudentSpeed | undefined {
  const path = join(folder.validation, 'generations.jsonl');
  if (!existsSync(path)) return undefined;
  const lines = readFileSync(path, 'utf8').split('\n').flatMap(readLine);
  for (const arm of STUDENT_ARMS) {
    const stages = tableStages(recipe).map(({ name, unit }) => {
      const student = recipe.students.find(({ stages: learnt }) => learnt.includes(name))!;
      const own = lines.filter((line) => line.arm === arm && line.stage === name);
      const sideBySide = Math.max(1, Math.min(studentGenerate(recipe, student).batch, own.length));
      const seconds = own.reduce((sum, line) => sum + line.seconds, 0) / sideBySide;
      const tokens = own.reduce((sum, line) => sum + line.tokens, 0);
      const perDocument = unit === 'document' ? 1 : PAIRS_PER_DOCUMENT;
      return { stage: name, outputs: own.length, tokens, seconds, perDocument };
    });
    if (stages.length === 0 || stages.some(({ outputs, seconds }) => outputs === 0 || seconds === 0)) continue;
    return {
      arm,
      secondsPerDocument: stages.reduce((sum, one) => sum + (one.perDocument * one.seconds) / one.outputs, 0),
      stages: stages.map(({ stage, outputs, tokens, seconds }) => ({
        stage,
        outputs,
        secondsPerAnswer: seconds / outputs,
        tokensPerSecond: tokens / seconds,
      })),
    };
  }
  return undefined;
}

function readLine(text: string): GenerationLine[] {
  try {
    return [JSON.parse(text) as GenerationLine];
  } catch {
    // Torn by a kill.
    return [];
  }
}
