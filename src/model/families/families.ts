/** All families, by model_type. */

import type { FamilyName } from '../config.ts';
import type { Family } from './family.ts';
import { gemma3 } from './gemma3.ts';
import { llama } from './llama.ts';
import { qwen2 } from './qwen2.ts';
import { qwen3 } from './qwen3.ts';

export const FAMILIES: { readonly [Name in FamilyName]: Family } = { llama, qwen2, qwen3, gemma3_text: gemma3 };

export const FAMILY_NAMES = Object.keys(FAMILIES) as FamilyName[];

/** The family of a model_type, undefined where it is none of ours. */
export function familyOf(modelType: unknown): Family | undefined {
  return FAMILY_NAMES.includes(modelType as FamilyName) ? FAMILIES[modelType as FamilyName] : undefined;
}
