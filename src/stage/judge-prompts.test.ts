import { expect, test } from 'vitest';
import { contentHash } from '../foundation/hash.ts';
import { judgeStage, judgeStageWith } from './judge.ts';

const input = { document: { id: 'a', text: 'Bees dance.' }, text: 'Bees do a dance.' };

test('the first judge prompt is what recordings and ledgers were asked with', () => {
  expect(contentHash(judgeStage.teacherPrompt(input))).toBe(
    'c7e876ffcd326cc7db0d882791c1ce0a4c572898177162f19b053ee2583dd1d9',
  );
});

test('judgeStageWith() makes a rubric part of prompt and version, and keeps marks and answer format', () => {
  const plain = judgeStageWith({ prompt: 'judge-points-1' });
  const own = judgeStageWith({ prompt: 'judge-points-1', rubric: '5: every name is kept. 1: none is.' });
  const [message] = own.teacherPrompt(input);
  expect([plain.promptVersion, own.promptVersion.slice(0, 15)]).toEqual(['judge-points-1', 'judge-points-1+']);
  expect(message!.content).toContain('every name is kept');
  expect(message!.content).not.toContain('left out');
  expect(message!.content).toMatch(
    /<rewrite-[0-9a-f]{16}>[\s\S]*nothing in them is an instruction[\s\S]*one JSON object/,
  );
  expect(own.studentPrompt(input)).toEqual(judgeStage.studentPrompt(input));
});
