/** `mga status`. */

import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { findRun } from '../open-run.ts';
import { renderStatus, runStatus } from '../run-status.ts';

export const command = defineCommand({
  name: 'status',
  summary: COMMAND_TABLE.status!.summary,
  details: 'Reads the ledger and the status file, so it also works while the run is going on.',
  arguments: [{ name: 'RUN', description: 'Folder or recipe of a run; default: the one touched last', optional: true }],
  options: { json: { type: 'boolean', description: 'One JSON object' } },
  async run({ args, options }, io) {
    const report = await runStatus(findRun(args[0]));
    io.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : renderStatus(report));
  },
});
