/** From the arguments of the process to a command, and from what it throws to an exit code. */

import { packageVersion } from '../foundation/artifact.ts';
import { InterruptedError, UserError } from '../foundation/errors.ts';
import { nearestName } from '../recipe/nearest-name.ts';
import { type CommandIo, commandHelp } from './command.ts';
import { COMMAND_TABLE } from './command-table.ts';

/** What the process ends with. */
export const EXIT = { ok: 0, userError: 1, bug: 2, interrupted: 130 } as const;

/** Runs `mga` with these arguments and returns the exit code. */
export async function runCli(argv: readonly string[], io: CommandIo): Promise<number> {
  try {
    await dispatch(argv, io);
    return EXIT.ok;
  } catch (error) {
    return explainFailure(error, argv, io);
  }
}

async function dispatch(argv: readonly string[], io: CommandIo): Promise<void> {
  const [name, ...rest] = argv;
  if (name === '--version' || name === '-v') {
    io.stdout.write(`${packageVersion()}\n`);
    return;
  }
  if (name === undefined || name === '--help' || name === '-h' || (name === 'help' && rest.length === 0)) {
    io.stdout.write(overview());
    return;
  }
  const [wanted, help] =
    name === 'help' ? [rest[0] ?? '', true] : [name, rest.includes('--help') || rest.includes('-h')];
  const entry = Object.hasOwn(COMMAND_TABLE, wanted) ? COMMAND_TABLE[wanted] : undefined;
  if (!entry) {
    const nearest = nearestName(wanted, Object.keys(COMMAND_TABLE));
    throw new UserError(
      `Cannot run mga ${wanted}: there is no such command`,
      nearest ? `Did you mean mga ${nearest}?` : 'mga --help lists the commands',
    );
  }
  const { command } = await entry.load();
  if (help) io.stdout.write(commandHelp(command));
  else await command.execute(rest, io);
}

/** The overview: every command with its summary. */
export function overview(): string {
  const width = Math.max(...Object.keys(COMMAND_TABLE).map((name) => name.length));
  const rows = Object.entries(COMMAND_TABLE).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `mga turns an LLM labeler into small models you own, and proves what was lost.

Usage: mga COMMAND [options]

${rows.join('\n')}

mga COMMAND --help tells more. A first run without a key: mga run recipes/quickstart.yaml
`;
}

function explainFailure(error: unknown, argv: readonly string[], { stderr, signal }: CommandIo): number {
  // Libraries answer an aborted signal with errors of their own.
  const aborted = signal.aborted && error instanceof Error && error.name === 'AbortError';
  if (error instanceof InterruptedError || aborted) {
    stderr.write(`Stopped; everything done so far is kept. Go on with: mga ${argv.map(shellWord).join(' ')}\n`);
    return EXIT.interrupted;
  }
  if (error instanceof UserError) {
    stderr.write(`${error.message}\n`);
    if (error.hint) stderr.write(`${error.hint}\n`);
    return EXIT.userError;
  }
  const stack = error instanceof Error ? (error.stack ?? String(error)) : String(error);
  stderr.write(
    `${stack}\nThis is a bug in mga ${packageVersion()}, not a mistake of yours: please report the lines above.\n`,
  );
  return EXIT.bug;
}

/** As a POSIX shell takes it. */
function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
