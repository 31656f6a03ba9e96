import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { judgeStage } from '../stage/judge.ts';
import { recordedTeacher } from './recorded.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'recording-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('recordedTeacher() repeats a judgement by a further rating it holds, and never by the first one', async () => {
  const rating = (text_id: string, repeat: number, score: number) =>
    JSON.stringify({ text_id, doc_id: 'd', repeat, analysis: `Rating ${repeat}.`, score });
  const texts = [{ id: 't1', doc_id: 'd', pair: 1, kind: 'base', text: 'A rewrite.' }];
  writeFileSync(join(folder, 'texts.jsonl'), texts.map((row) => JSON.stringify(row)).join('\n'));
  writeFileSync(
    join(folder, 'judgements.jsonl'),
    [rating('t1', 1, 5), rating('t1', 2, 3), rating('t2', 1, 4)].join('\n'),
  );
  const teacher = await recordedTeacher(folder);
  const { signal } = new AbortController();
  const ask = async (item: string, repeat?: number) => {
    const request = {
      key: 'k',
      stage: 'judge',
      docId: 'd',
      item,
      messages: [],
      params: { temperature: 0, maxTokens: 1 },
    };
    const { text } = await teacher.complete({ ...request, ...(repeat === undefined ? {} : { repeat }) }, signal);
    const parsed = judgeStage.parse(text);
    return parsed.ok ? parsed.value.score : undefined;
  };
  expect([await ask('t1'), await ask('d/1'), await ask('t2')]).toEqual([5, 5, 4]);
  expect([await ask('t1', 2), await ask('d/1', 2)]).toEqual([3, 3]);
  await expect(ask('t2', 2)).rejects.toMatchObject({
    message: expect.stringMatching(/holds no judge answer number 2 for t2$/),
    scope: 'refuse',
  });
  await expect(ask('d/1', 3)).rejects.toThrow(/number 3 for d\/1/);
});
