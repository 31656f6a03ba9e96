/** The reformulation prompts a recipe may name; stage/reformulate-prompts.ts holds their texts. */

export const REFORMULATE_PROMPTS = ['base', 'strict', 'relaxed'] as const;

export type ReformulatePromptName = (typeof REFORMULATE_PROMPTS)[number];
