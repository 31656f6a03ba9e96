/** `mga report`. */

import { stageCommand } from '../stage-command.ts';

export const command = stageCommand(
  'report',
  `One self-contained file: tables, curves, histograms, samples side by side.`,
);
