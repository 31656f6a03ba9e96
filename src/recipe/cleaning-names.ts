/** The cleaning rules and pattern lists a recipe applies unless it names others; curate/rules and data/patterns hold them. */

export const CLEANING_RULES = [
  'garbage',
  'markdown-fences',
  'boilerplate',
  'loops',
  'truncation',
  'language',
  'length-ratio',
  'copying',
  'keyword-coverage',
] as const;

export type CleaningRuleName = (typeof CLEANING_RULES)[number];

export const PATTERN_LISTS = ['announcements', 'notes', 'ai-talk', 'task-talk', 'cut-offs'] as const;
