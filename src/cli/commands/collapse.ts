/** `mga collapse`: what training on synthetic text did to a model, token by token. */

import { join } from 'node:path';
import { UserError } from '../../foundation/errors.ts';
import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { DISPLAY_OPTIONS, isJson, withDisplay } from '../with-display.ts';

const DEFAULT_TEXTS = 200;

export const command = defineCommand({
  name: 'collapse',
  summary: COMMAND_TABLE.collapse!.summary,
  details: `Losses of two checkpoints on the same texts, token by token: where the second one falls behind, and how early in a text
(docs/analysis.md). A checkpoint is an alias, hub id, model folder or GGUF file, or the folder of a trained student
(checkpoints/RUN/students/NAME, or what train --sft made), which is taken in f32. Both must share a tokenizer.`,
  arguments: [
    { name: 'REAL', description: 'Checkpoint trained on real text, or the one before training' },
    { name: 'SYNTHETIC', description: 'Checkpoint trained on synthetic text, or the one after training' },
  ],
  options: {
    texts: { type: 'string', value: 'PATH', description: 'Real texts none was trained on; what corpus.path takes' },
    limit: { type: 'string', value: 'N', description: `Texts drawn from them; default ${DEFAULT_TEXTS}` },
    k: { type: 'string', value: 'K', description: 'Standard deviations an anomaly lies above the mean; default 2' },
    window: {
      type: 'string',
      value: 'SIDE',
      description: 'trailing (default) or leading: the window ends or begins at p',
    },
    'max-tokens': { type: 'string', value: 'N', description: 'Longer texts are cut there; default 1024' },
    threads: { type: 'string', value: 'N', description: 'Default: all cores' },
    out: {
      type: 'string',
      value: 'DIR',
      description:
        'Keep collapse.json and collapse-losses.jsonl there; the report of a run shows what lies in its folder',
    },
    ...DISPLAY_OPTIONS,
  },
  async run({ args, options }, io) {
    const [real, synthetic] = args as [string, string];
    if (options.texts === undefined)
      throw new UserError('Cannot compare checkpoints: found no texts', 'Give --texts with a file of real texts');
    const { analyseCollapse, COLLAPSE_DEFAULTS } = await import('../../validate/collapse.ts');
    const { collapseTexts } = await import('../../validate/collapse-texts.ts');
    const settings = {
      ...COLLAPSE_DEFAULTS,
      ...(options.k === undefined ? {} : { k: number('k', options.k) }),
      ...(options.window === undefined ? {} : { window: direction(options.window) }),
      ...(options['max-tokens'] === undefined ? {} : { maxTokens: whole('max-tokens', options['max-tokens']) }),
      ...(options.threads === undefined ? {} : { threads: whole('threads', options.threads) }),
    };
    const limit = options.limit === undefined ? DEFAULT_TEXTS : whole('limit', options.limit);
    const texts = await collapseTexts(options.texts, limit, settings.seed);
    const { report, losses } = await withDisplay(['validate'], options, io, (context) =>
      analyseCollapse(real, synthetic, texts, settings, context),
    );
    if (options.out !== undefined) {
      const { writeCollapse } = await import('../../validate/collapse-texts.ts');
      writeCollapse(options.out, report, losses);
      io.stderr.write(`Kept in ${join(options.out, 'collapse.json')}\n`);
    }
    const { renderCollapse } = await import('../../validate/render-collapse.ts');
    io.stdout.write(
      isJson(options, io) ? `${JSON.stringify({ type: 'collapse', ...report })}\n` : `\n${renderCollapse(report)}`,
    );
    if (isJson(options, io)) io.stderr.write(`${renderCollapse(report)}`);
  },
});

function number(option: string, text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0) {
    throw new UserError(`Cannot use --${option} ${text}: not a number from 0 on`, `For example --${option} 2`);
  }
  return value;
}

function whole(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) {
    throw new UserError(`Cannot use --${option} ${text}: not a whole number from 1 on`, `For example --${option} 200`);
  }
  return value;
}

function direction(text: string): 'trailing' | 'leading' {
  if (text === 'trailing' || text === 'leading') return text;
  throw new UserError(`Cannot use --window ${text}: it knows trailing and leading`, 'Leave it out for trailing');
}
