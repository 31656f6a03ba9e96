import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { showRun } from './show-run.ts';

test('showRun() writes one JSON object a line without a terminal', async () => {
  const stdout = new PassThrough() as unknown as NodeJS.WriteStream;
  const display = await showRun({ commands: ['collect'], stdout, json: false, env: {} });
  display.emit({ type: 'log', level: 'info', message: 'a\nb' });
  display.emit({ type: 'command-end', command: 'collect', seconds: 1, summary: 'done' });
  await display.close();
  const lines = String((stdout as unknown as PassThrough).read())
    .trimEnd()
    .split('\n');
  expect(lines.map((line) => JSON.parse(line).type)).toEqual(['log', 'command-end']);
});
