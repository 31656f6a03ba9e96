/** What an arm is asked, and how it answers: the seam that tests put stand-ins into. */

import type { RunContext } from '../foundation/run-context.ts';
import type { RunFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { AnyStage, ChatMessage } from '../stage/stage.ts';
import type { TableArm } from './table-arm.ts';

export interface ArmTask extends TableArm {
  recipe: Recipe;
  folder: RunFolder;
  stage: AnyStage;
  /** A response up to where it holds all the stage asks for, see `Stage.finished`. */
  finished?: (response: string) => string | undefined;
  prompts: readonly { item: string; docId: string; messages: ChatMessage[] }[];
}

export interface ArmAnswer {
  item: string;
  text: string;
  /** Of a label stage, where token probabilities are known: how sure the model was of each field, 0..1. */
  confidence?: Record<string, number>;
  /** Ended by an end token, not by the limit. */
  stopped: boolean;
  tokens: number;
  seconds: number;
}

/** How an arm answers; answers come as they end, in any order. */
export type GenerateArm = (task: ArmTask, context: RunContext) => AsyncIterable<ArmAnswer>;
