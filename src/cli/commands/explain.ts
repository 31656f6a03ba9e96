/** `mga explain`. */

import { defineCommand } from '../command.ts';
import { COMMAND_TABLE } from '../command-table.ts';
import { findRun } from '../open-run.ts';

export const command = defineCommand({
  name: 'explain',
  summary: COMMAND_TABLE.explain!.summary,
  details: 'Prompts, raw answers, scores, ratings by people, price, and why a sample was kept or dropped.',
  arguments: [{ name: 'ID', description: 'A document, a sample (<document>/<k>), a judged text, or a request key' }],
  options: {
    run: { type: 'string', value: 'RUN', description: 'Folder or recipe of a run; default: the one touched last' },
    full: { type: 'boolean', description: 'Long texts whole' },
    json: { type: 'boolean', description: 'One JSON object' },
  },
  async run({ args, options }, io) {
    const { explain } = await import('../../store/explain.ts');
    const { renderExplanation } = await import('../render-explanation.ts');
    const explanation = await explain(findRun(options.run), args[0]!);
    const text = renderExplanation(explanation, options.full ?? false);
    io.stdout.write(options.json ? `${JSON.stringify(explanation, null, 2)}\n` : text);
  },
});
