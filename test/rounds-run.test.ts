/** Two rounds at debug size in processes of their own: killed between rounds and inside one, and run again. */

import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readRoundDocuments } from '../src/corpus/round-documents.ts';
import { readManifest } from '../src/foundation/artifact.ts';
import { roundFolder, runFolder } from '../src/foundation/run-folder.ts';
import { readSummary } from '../src/rounds/round-outcome.ts';
import { ledgerLines } from './collect-setup.ts';
import { runMga, startMga } from './run-mga.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-rounds-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Four processes that load the runtime and train, on a machine that may be busy with other tests. */
const TIMEOUT_MS = 900_000;

const STUDENTS = ['pairs', 'reformulate'];
const args = (name: string) => [
  ...['run', 'recipes/debug.yaml', '--out', join(root, name)],
  ...['rounds.count=2', 'rounds.minGain=-100', 'rounds.failed=0.5', 'corpus.limit=12', 'train.maxSteps=3']
    .concat('export.onnx=[w8a8]', 'validate.arms=[teacher, student]')
    .flatMap((set) => ['--set', set]),
];

test(
  'mga run goes through two rounds, and after kills to the same end',
  async () => {
    const whole = await runMga(args('whole'));
    expect(whole.stderr).toContain('Rounds end after 2 of 2: all are made');
    expect(whole.code).toBe(0);

    const killed = startMga(args('killed'));
    await killed.sees(/"type":"round-start","round":2/);
    killed.kill('SIGKILL');
    await killed.ended;
    expect(readSummary(runFolder(join(root, 'killed')))).toMatchObject({ chosen: null, rounds: [{ round: 1 }] });

    const again = startMga(args('killed'));
    await again.sees(/"type":"step-end","student":"reformulate","step":2/);
    again.kill('SIGKILL');
    await again.ended;
    const status = await runMga(['status', join(root, 'killed')]);
    expect(status.stdout).toContain('Round 2 of at most 2');

    const last = await runMga(args('killed'));
    expect(last.code).toBe(0);
    expect(last.stdout).toContain('round 1 is over');
    expect(last.stdout).not.toContain('"summary":"round 1');

    const [one, other] = ['whole', 'killed'].map((name) => runFolder(join(root, name)));
    expect(readSummary(other!)).toEqual(readSummary(one!));
    for (const name of STUDENTS) {
      for (const at of [1, 2].flatMap((round) => [roundFolder(one!, round), roundFolder(other!, round)])) {
        expect(readManifest(at.student(name))).toBeDefined();
      }
      const bytes = (root: string) => readFileSync(join(root, 'students', name, 'adapter.safetensors'));
      expect(bytes(other!.root).equals(bytes(one!.root))).toBe(true);
    }
    const answered = (await ledgerLines(other!)).flatMap((line) => (line.type === 'response' ? [line.key] : []));
    expect(new Set(answered).size).toBe(answered.length);

    const { rounds, chosen, warnings } = readSummary(one!)!;
    expect(rounds.map(({ documents }) => documents.added)).toEqual([3, 3]);
    expect(readRoundDocuments(one!, 2)!.failed.length).toBeGreaterThan(0);
    expect(rounds.every(({ rejudged }) => rejudged.some(({ by }) => by === 'the local judge'))).toBe(true);
    expect(warnings).toHaveLength(1);
    expect(existsSync(join(one!.root, 'students', 'pairs', 'manifest.json'))).toBe(true);
    const report = readFileSync(one!.report, 'utf8');
    expect(report).toContain('id="rounds"');
    expect(report).toContain('Kept texts, judged again');
    expect(report).toContain(`The students of round ${chosen} are those of the run.`);

    const skipping = await runMga(args('whole'));
    const begun = skipping.stdout
      .split('\n')
      .flatMap((line) => (line.includes('"type":"command-start"') ? [JSON.parse(line).command] : []));
    expect(begun).toEqual(['report']);
  },
  TIMEOUT_MS,
);
