/** `mga collect`. */

import { stageCommand } from '../stage-command.ts';

export const command = stageCommand(
  'collect',
  `Every request and raw response goes into the run's ledger before it is read. What the ledger already holds is not
asked again; failures are kept and counted.`,
);
