/** A command: its arguments and options as data, from which parsing, help and docs/cli.md are made. */

import { type ParseArgsConfig, parseArgs } from 'node:util';
import { UserError } from '../foundation/errors.ts';
import { nearestName } from '../recipe/nearest-name.ts';

export interface OptionSpec {
  readonly type: 'string' | 'boolean';
  readonly description: string;
  /** What stands for the value in the help, for example `FILE`. */
  readonly value?: string;
  /** May be given several times. */
  readonly multiple?: boolean;
  /** The option's value may be left out, and means the first of these then; no other value is allowed. */
  readonly choices?: readonly [string, ...string[]];
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

type OptionValue<S extends OptionSpec> = S['type'] extends 'boolean'
  ? boolean
  : S extends { multiple: true }
    ? string[]
    : string;

/** Parsed options; those not given are absent. */
export type OptionValues<O extends OptionSpecs> = { [K in keyof O]?: OptionValue<O[K]> };

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  readonly optional?: boolean;
}

/** What a command is given besides its options: where to write, and when to stop. */
export interface CommandIo {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
  readonly env: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

interface CommandSpec<O extends OptionSpecs> {
  readonly name: string;
  readonly summary: string;
  /** Further lines of help. */
  readonly details?: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: O;
  run(input: { args: readonly string[]; options: OptionValues<O> }, io: CommandIo): Promise<void>;
}

/** A command whose options are known to itself alone. */
export type Command = Omit<CommandSpec<OptionSpecs>, 'run'> & {
  /** Parses `argv` (what follows the command's name) and runs. Throws UserError for what it does not understand. */
  execute(argv: readonly string[], io: CommandIo): Promise<void>;
};

/** Makes a command of its definition. */
export function defineCommand<const O extends OptionSpecs>(spec: CommandSpec<O>): Command {
  return {
    ...spec,
    async execute(argv, io) {
      const { values, positionals } = parse(spec, argv);
      const required = spec.arguments.filter(({ optional }) => !optional);
      const missing = required[positionals.length];
      const hint = `Usage: ${usage(spec)}`;
      if (missing) throw new UserError(`Cannot run mga ${spec.name}: found no ${missing.name}`, hint);
      const extra = positionals[spec.arguments.length];
      if (extra !== undefined)
        throw new UserError(`Cannot run mga ${spec.name}: found an argument too many: ${extra}`, hint);
      await spec.run({ args: positionals, options: values as OptionValues<O> }, io);
    },
  };
}

/** `mga train RECIPE [options]` */
export function usage({ name, arguments: args, options }: Omit<CommandSpec<OptionSpecs>, 'run'>): string {
  const shown = args.map((argument) => (argument.optional ? `[${argument.name}]` : argument.name));
  return ['mga', name, ...shown, ...(Object.keys(options).length > 0 ? ['[options]'] : [])].join(' ');
}

/** The help of one command, at most 80 columns wide where descriptions allow. */
export function commandHelp(command: Command): string {
  const args = command.arguments.map(({ name, description }) => [name, description] as const);
  const options = Object.entries(command.options).map(([name, option]) => {
    const repeated = option.multiple ? ' (repeatable)' : '';
    return [`--${name}${option.value ? ` ${option.value}` : ''}`, option.description + repeated] as const;
  });
  const rows = [...args, ...options];
  const width = Math.max(...rows.map(([left]) => left.length), 0);
  const table = (part: readonly (readonly [string, string])[]) =>
    part.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`).join('\n');
  return [
    `Usage: ${usage(command)}`,
    `${command.summary}.`,
    command.details,
    args.length > 0 ? table(args) : undefined,
    options.length > 0 ? `Options:\n${table(options)}` : undefined,
  ]
    .filter((part) => part !== undefined)
    .join('\n\n')
    .concat('\n');
}

function parse(spec: Omit<CommandSpec<OptionSpecs>, 'run'>, argv: readonly string[]) {
  const options: NonNullable<ParseArgsConfig['options']> = {};
  for (const [name, { type, multiple }] of Object.entries(spec.options))
    options[name] = { type, multiple: multiple ?? false };
  try {
    return parseArgs({ args: withValues(spec.options, argv), options, allowPositionals: true, strict: true });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (!code?.startsWith('ERR_PARSE_ARGS')) throw error;
    const unknown = /'-{1,2}([\w-]+)/.exec(message)?.[1] ?? '';
    const nearest = code.endsWith('UNKNOWN_OPTION')
      ? nearestName(unknown, [...Object.keys(options), 'help'])
      : undefined;
    const found = code.endsWith('UNKNOWN_OPTION') ? `unknown option --${unknown}` : message.split('\n')[0];
    throw new UserError(
      `Cannot run mga ${spec.name}: ${found}`,
      nearest ? `Did you mean --${nearest}?` : `mga ${spec.name} --help lists the options`,
    );
  }
}

/** Gives options with choices the value that stands beside them, or the first choice. */
function withValues(options: OptionSpecs, argv: readonly string[]): string[] {
  const args = [...argv];
  for (const [name, { choices }] of Object.entries(options)) {
    const at = choices === undefined ? -1 : args.indexOf(`--${name}`);
    if (choices === undefined || at < 0) continue;
    const given = choices.includes(args[at + 1] ?? '') ? args[at + 1] : undefined;
    args.splice(at, given === undefined ? 1 : 2, `--${name}=${given ?? choices[0]}`);
  }
  return args;
}
