/** `mga export-data`: the training samples of a run for other trainers, or for the hub. */

import { existsSync, statSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { UserError } from '../../foundation/errors.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { findRun } from '../open-run.ts';
import { unknownFormat } from './import.ts';

const DEFAULT_FORMAT = 'prompt-completion';

export const command = defineCommand({
  name: 'export-data',
  summary: COMMAND_TABLE['export-data']!.summary,
  details: `Writes a file a stage and split, and a card (README.md). Formats:
  prompt-completion  JSON Lines for TRL
  chat-jsonl         JSON Lines of messages, for fine-tuning APIs
  sharegpt           JSON with dataset_info.json, for LLaMA-Factory
  parquet            Parquet for anything
mga import reads all of them back. --push needs HF_TOKEN, and respects HF_ENDPOINT.`,
  arguments: [{ name: 'SOURCE', description: 'Folder or recipe of a run, or a file that mga import reads' }],
  options: {
    format: { type: 'string', value: 'FORMAT', description: `Default ${DEFAULT_FORMAT}` },
    out: { type: 'string', value: 'DIR', description: 'Folder to write to; default <run>/data, or <FILE>-data' },
    stage: { type: 'string', value: 'STAGE', multiple: true, description: 'Only this stage' },
    push: { type: 'string', value: 'OWNER/NAME', description: 'Also push to this data set of the hub' },
    private: { type: 'boolean', description: 'With --push: a new data set is private' },
  },
  async run({ args, options }, io) {
    const { EXPORT_FORMATS } = await import('../../curate/formats/export-sft.ts');
    const { exportSets } = await import('../../curate/formats/export-sets.ts');
    const format = EXPORT_FORMATS.find((name) => name === (options.format ?? DEFAULT_FORMAT));
    if (format === undefined) throw unknownFormat(options.format!, EXPORT_FORMATS);
    const { sets, name, home } = await readSource(args[0]!);
    const { stage: stages } = options;
    const chosen = stages === undefined ? sets : sets.filter(({ stage }) => stages.includes(stage));
    const folder = options.out ?? home;
    const paths = await exportSets(chosen, format, folder, `\`${name}\``);
    io.stdout.write(`${paths.map((path) => `${path}\n`).join('')}`);
    if (options.push === undefined) return;
    const { pushToHub } = await import('../../model/hub-push.ts');
    const push = { repo: options.push, type: 'dataset', folder, paths, title: `Samples of ${name}` } as const;
    io.stdout.write(`Pushed to ${await pushToHub({ ...push, private: options.private ?? false }, io.env)}\n`);
  },
});

async function readSource(source: string) {
  const { rowSets, runSets } = await import('../../curate/formats/export-sets.ts');
  const isFile = existsSync(source) && statSync(source).isFile() && !/\.ya?ml$/.test(source);
  if (isFile || existsSync(join(source, 'state.json'))) {
    const { importSft } = await import('../../curate/formats/import-sft.ts');
    const name = basename(source, extname(source));
    return { sets: rowSets(await importSft(source)), name, home: `${name}-data` };
  }
  if (!existsSync(source)) throw new UserError(`Cannot read ${source}: there is no such file or folder`);
  const run = findRun(source);
  return { sets: runSets(run), name: basename(run.root), home: join(run.root, 'data') };
}
