/** `mga train --sft FILE --val FILE`: a student from one's own samples, without a recipe. */

import { readSftJsonl } from '../curate/sft-jsonl.ts';
import type { RunContext } from '../foundation/run-context.ts';
import { recipeSchema, type TrainSettings } from '../recipe/schema.ts';
import type { StudentJob } from './train.ts';
import { trainInWorker } from './train-in-worker.ts';

export interface FileTraining {
  /** JSON Lines of `{prompt, completion}` chat messages (TRL's conversational prompt-completion rows). */
  readonly sft: string;
  /** The same for the dev loss. */
  readonly val?: string;
  /** Folder of the student. */
  readonly out: string;
  readonly settings: Partial<TrainSettings>;
  readonly seed?: number;
}

/** Trains a student on the rows of a file; what is not set has the recipe's defaults. */
export async function trainOnFiles(training: FileTraining, context: RunContext): Promise<void> {
  await trainInWorker(fileJob(training), context);
}

/** What a student is trained from where there is no recipe. */
export function fileJob(training: FileTraining): StudentJob {
  const { train, quantize } = recipeSchema.shape;
  return {
    name: 'student',
    folder: training.out,
    train: readSftJsonl(training.sft),
    dev: training.val ? readSftJsonl(training.val) : [],
    settings: train.parse(training.settings),
    quantize: quantize.parse({}),
    seed: training.seed ?? 0,
  };
}
