/** `mga import`: training samples of other tools, as rows. */

import { basename, dirname, extname, join } from 'node:path';
import { UserError } from '../../foundation/errors.ts';
import { nearestName } from '../../recipe/nearest-name.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';

export const command = defineCommand({
  name: 'import',
  summary: COMMAND_TABLE.import!.summary,
  details: `Reads JSON Lines, a JSON array, Parquet, or an Arrow folder, and writes rows for mga train --sft. Formats:
  openai      chat JSON Lines {"messages"}, and stored chat completions
  distilabel  {"instruction", "generation"} or {"conversation"}
  curator     responses_*.jsonl of Bespoke Curator
  sharegpt    ShareGPT and LLaMA-Factory {"conversations"}
  trl         {"prompt": [messages], "completion": [messages]}`,
  arguments: [{ name: 'FILE', description: 'File or Arrow folder to read' }],
  options: {
    format: {
      type: 'string',
      value: 'FORMAT',
      description: 'Refuse records of other formats; default: told from each',
    },
    out: { type: 'string', value: 'FILE', description: 'JSON Lines to write; default <FILE>.sft.jsonl beside it' },
    stage: { type: 'string', value: 'STAGE', description: 'Stage of the rows; default: what they say, or sft' },
  },
  async run({ args, options }, io) {
    const { IMPORT_FORMATS, importSft } = await import('../../curate/formats/import-sft.ts');
    const { writeSftJsonl } = await import('../../curate/sft-jsonl.ts');
    const { format, stage } = options;
    if (format !== undefined && !IMPORT_FORMATS.includes(format)) throw unknownFormat(format, IMPORT_FORMATS);
    const source = args[0]!;
    const out = options.out ?? join(dirname(source), `${basename(source, extname(source))}.sft.jsonl`);
    const rows = await importSft(source, format);
    writeSftJsonl(out, stage === undefined ? rows : rows.map((row) => ({ ...row, stage })));
    io.stdout.write(`${rows.length} rows in ${out}\nTrain on them: mga train --sft ${out}\n`);
  },
});

/** What to say of a format that does not exist. */
export function unknownFormat(format: string, known: readonly string[]): UserError {
  const nearest = nearestName(format, known);
  return new UserError(
    `Cannot use --format ${format}: there is no such format`,
    nearest ? `Did you mean ${nearest}?` : `Formats: ${known.join(', ')}`,
  );
}
