/** `mga curate`. */

import { stageCommand } from '../stage-command.ts';

export const command = stageCommand(
  'curate',
  `Every sample is kept or dropped with a stored reason (mga explain ID); the kept ones become SFT sets per stage.`,
);
