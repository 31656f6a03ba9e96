/** The commands by name. Summaries stand here, so that the overview loads none of them. */

import type { Command } from './command.ts';

export interface CommandEntry {
  readonly summary: string;
  load(): Promise<{ command: Command }>;
}

/** In the order in which a person meets them. */
export const COMMAND_TABLE: Readonly<Record<string, CommandEntry>> = {
  init: { summary: 'Write a recipe and a data folder to edit', load: () => import('./commands/init.ts') },
  doctor: { summary: 'Say what this machine lacks for a run', load: () => import('./commands/doctor.ts') },
  plan: { summary: 'Say what a run would do, and what is done already', load: () => import('./commands/plan.ts') },
  run: { summary: 'Run everything from collect to report', load: () => import('./commands/run.ts') },
  collect: { summary: 'Ask the teacher for labels and judgements', load: () => import('./commands/collect.ts') },
  curate: { summary: 'Turn answers into training samples', load: () => import('./commands/curate.ts') },
  train: { summary: 'Train the students, or one on your own samples', load: () => import('./commands/train.ts') },
  quantize: { summary: 'Quantize the students to W8A8', load: () => import('./commands/quantize.ts') },
  export: { summary: 'Export the students for other programs', load: () => import('./commands/export.ts') },
  validate: { summary: 'Judge students against their teacher', load: () => import('./commands/validate.ts') },
  review: { summary: 'Have people rate outputs blind, in a browser', load: () => import('./commands/review.ts') },
  report: { summary: 'Write report.html', load: () => import('./commands/report.ts') },
  'learning-curve': {
    summary: 'Train students on parts of the samples, and judge them',
    load: () => import('./commands/learning-curve.ts'),
  },
  collapse: {
    summary: 'Compare two checkpoints token by token, for signs of collapse',
    load: () => import('./commands/collapse.ts'),
  },
  import: { summary: 'Read training samples of other tools', load: () => import('./commands/import.ts') },
  'export-data': {
    summary: 'Write training samples for other tools, or the hub',
    load: () => import('./commands/export-data.ts'),
  },
  status: { summary: 'Say where a run stands, also a live one', load: () => import('./commands/status.ts') },
  explain: { summary: 'Say all that is known of a document or sample', load: () => import('./commands/explain.ts') },
};
