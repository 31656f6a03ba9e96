/** The judge prompts a recipe may name; stage/judge-prompts.ts holds their texts. */

export const JUDGE_PROMPTS = ['judge-1', 'judge-points-1'] as const;

export type JudgePromptName = (typeof JUDGE_PROMPTS)[number];
