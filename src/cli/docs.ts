/** docs/cli.md, generated from the commands. */

import { EXIT } from './cli.ts';
import { commandHelp } from './command.ts';
import { COMMAND_TABLE } from './command-table.ts';

const HEAD = `# Command reference

Generated from src/cli/commands (\`npx vitest run test/cli.test.ts -u\` writes it again).

A terminal shows a live screen; without one, or with \`--json\`, every event is a JSON line on stdout and words for people
go to stderr. \`NO_COLOR\` is respected. Ctrl-C stops after the step at hand and says how to go on; a second one stops at once.

| exit code | meaning |
|---|---|
| ${EXIT.ok} | done |
| ${EXIT.userError} | something the user can mend: the message says what |
| ${EXIT.bug} | a bug, with its stack trace |
| ${EXIT.interrupted} | interrupted; the same command goes on |
`;

/** The command reference as Markdown. */
export async function cliDocs(): Promise<string> {
  const sections = await Promise.all(
    Object.entries(COMMAND_TABLE).map(async ([name, entry]) => {
      const { command } = await entry.load();
      return `## mga ${name}\n\n\`\`\`text\n${commandHelp(command)}\`\`\`\n`;
    }),
  );
  return [HEAD, ...sections].join('\n');
}
