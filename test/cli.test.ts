import { existsSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { EXIT } from '../src/cli/cli.ts';
import { COMMAND_TABLE } from '../src/cli/command-table.ts';
import { cliDocs } from '../src/cli/docs.ts';
import { InterruptedError } from '../src/foundation/errors.ts';
import { mga } from './mga-here.ts';
import { runMga } from './run-mga.ts';
import { ROOT } from './source-files.ts';

const newFolder = () => mkdtempSync(join(tmpdir(), 'mga-cli-'));

afterEach(() => {
  vi.restoreAllMocks();
});

test('docs/cli.md is what the commands say, and summaries agree with the overview', async () => {
  await expect(await cliDocs()).toMatchFileSnapshot('../docs/cli.md');
  for (const [name, entry] of Object.entries(COMMAND_TABLE)) {
    const { command } = await entry.load();
    expect([command.name, command.summary]).toEqual([name, entry.summary]);
  }
});

test('mga lists the commands that exist, and no others', async () => {
  const { code, stdout } = await mga();
  expect(code).toBe(EXIT.ok);
  expect(stdout).toMatch(/^ {2}run +Run everything from collect to report$/m);
  for (const name of ['expand', 'serve', 'chat', 'cluster']) expect(stdout).not.toMatch(new RegExp(`^  ${name} `, 'm'));
});

test('mga COMMAND --help and mga help COMMAND print the same', async () => {
  const help = await mga('status', '--help');
  expect(help.stdout).toMatch(/^Usage: mga status \[RUN\] \[options\]\n/);
  expect(await mga('help', 'status')).toEqual(help);
});

test('mga --version prints the version of the package', async () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
  expect(await mga('--version')).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test.each([
  [['trian'], 'Cannot run mga trian: there is no such command\nDid you mean mga train?\n'],
  [['run'], 'Cannot run mga run: found no RECIPE\nUsage: mga run RECIPE [options]\n'],
  [['run', 'a.yaml', 'b'], 'Cannot run mga run: found an argument too many: b\nUsage: mga run RECIPE [options]\n'],
  [['run', 'a.yaml', '--sett', 'x'], 'Cannot run mga run: unknown option --sett\nDid you mean --set?\n'],
  [['constructor'], 'Cannot run mga constructor: there is no such command\nmga --help lists the commands\n'],
])('mga %j is a user error with a hint', async (argv, stderr) => {
  expect(await mga(...argv)).toEqual({ code: EXIT.userError, stdout: '', stderr });
});

test('mga run names file and line of a mistake in the recipe', async () => {
  const recipe = join(newFolder(), 'r.yaml');
  writeFileSync(recipe, 'name: r\ncorpus: {path: x}\nteacher: {kind: recorded, folder: y}\nstudents: []\ntrane: {}\n');
  const { code, stderr } = await mga('run', recipe);
  expect(code).toBe(EXIT.userError);
  expect(stderr).toContain(`${recipe}, line 5: trane: unknown key`);
  expect(stderr).toContain('Did you mean train?');
});

test('an interrupted command exits with 130 and says how to go on, quoted for the shell', async () => {
  vi.spyOn(COMMAND_TABLE.run!, 'load').mockRejectedValue(new InterruptedError());
  const { code, stderr } = await mga('run', 'my recipe.yaml', '--set', 'train.epochs=2');
  expect(code).toBe(EXIT.interrupted);
  expect(stderr).toContain("Go on with: mga run 'my recipe.yaml' --set train.epochs=2\n");
});

test('anything unforeseen exits with 2 and keeps its stack', async () => {
  vi.spyOn(COMMAND_TABLE.run!, 'load').mockRejectedValue(new TypeError('x is not a function'));
  const { code, stderr } = await mga('run', 'r.yaml');
  expect(code).toBe(EXIT.bug);
  expect(stderr).toMatch(/TypeError: x is not a function\n {4}at .*This is a bug in mga/s);
});

test('collect, status, plan and explain work on one run', async () => {
  const run = join(newFolder(), 'run');
  const collected = await mga('collect', 'recipes/debug.yaml', '--out', run, '--set', 'corpus.limit=4');
  expect(collected.stderr).toBe('');
  const events = collected.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(events.at(-1)).toMatchObject({ type: 'command-end', command: 'collect' });

  const status = await mga('status', run);
  expect(status.stdout).toContain(`Run ${run} is done`);
  expect(status.stdout).toMatch(/^reformulate .* 20 /m);
  const { spend, state } = JSON.parse((await mga('status', run, '--json')).stdout);
  expect([state, spend.map(({ responses }: { responses: number }) => responses).slice(0, 2)]).toEqual([
    'done',
    [4, 20],
  ]);

  const plan = await mga('plan', run, '--json');
  const { stages } = JSON.parse(plan.stdout);
  expect(stages.map(({ toAsk }: { toAsk: number }) => toAsk)).toEqual([0, 0, 0]);

  const item = events.find(({ type, stage }) => type === 'sample-made' && stage === 'reformulate').docId;
  const explained = await mga('explain', `${item}/1`, '--run', run);
  expect(explained.code).toBe(EXIT.ok);
  expect(explained.stdout).toContain(`reformulate ${item}/1 to recording-`);
  expect(explained.stdout).toContain('answer:');
  expect((await mga('explain', 'nothing-here', '--run', run)).stderr).toContain('knows no document, sample or request');
});

test('mga plan counts what depends on answers to come, asks nothing and leaves no run behind', async () => {
  const run = join(newFolder(), 'run');
  const { stdout } = await mga('plan', 'recipes/debug.yaml', '--out', run);
  expect(stdout).toMatch(/^pairs +8 +0 +0 +8 /m);
  expect(stdout).toMatch(/^reformulate +about 40 +0 +0 +40 /m);
  expect(existsSync(run)).toBe(false);
});

test('mga plan --probe asks through the ledger, --preview shows whole prompts, and neither takes nonsense', async () => {
  const run = join(newFolder(), 'run');
  const { stdout, stderr } = await mga('plan', 'recipes/debug.yaml', '--out', run, '--probe', '2', '--preview', '1');
  expect(stderr).toContain('probe: pairs 2/2 answers\nprobe: reformulate 10/10 answers\n');
  expect(stdout).toMatch(/^pairs +8 +2 +0 +6 /m);
  expect(stdout).toMatch(/^Prompt of reformulate for \S+\/1 to recording-/m);
  expect(stdout).not.toContain('characters ...]');
  expect(existsSync(join(run, 'splits.json'))).toBe(false);
  for (const option of ['--probe=0', '--probe=x', '--preview=1.5']) {
    expect((await mga('plan', 'recipes/debug.yaml', '--out', run, option)).stderr).toContain('must be a whole number');
  }
});

test('mga validate --gate exits with 1 on fail, with strict on undecided too', async () => {
  const write = (lost: number) => {
    const scores = join(newFolder(), 'scores.jsonl');
    const rows = Array.from({ length: 120 }, (_, i) => [
      { arm: 'teacher', doc_id: `d${i}`, item: 'a', score: 5 },
      { arm: 'student', doc_id: `d${i}`, item: 'a', score: i < lost ? 1 : 5 },
    ]).flat();
    writeFileSync(scores, rows.map((row) => JSON.stringify(row)).join('\n'));
    return scores;
  };
  const [failed, undecided] = [write(60), write(3)];
  const failure = await mga('validate', '--from', failed, '--gate');
  expect(failure.code).toBe(EXIT.userError);
  expect(failure.stdout).toContain('Table 1');
  expect(failure.stderr).toContain('reformulate, student: fail (-50.00 points from teacher, margin 3)');
  expect((await mga('validate', '--gate', '--from', undecided)).code).toBe(EXIT.ok);
  expect((await mga('validate', '--from', undecided, '--gate', 'strict')).code).toBe(EXIT.userError);
  expect((await mga('validate', '--from', failed, '--gate=never')).stderr).toContain('--gate never');
});

test('mga validate --from prints tables, or table1.json', async () => {
  const scores = join(newFolder(), 'scores.jsonl');
  const row = (arm: string, doc: string, score: number | null) =>
    JSON.stringify({ arm, doc_id: doc, item: `${doc}/1`, score });
  const rows = [row('teacher', 'a', 5), row('student', 'a', 3), row('teacher', 'b', 4), row('student', 'b', null)];
  writeFileSync(scores, rows.join('\n'));
  expect((await mga('validate', '--from', scores)).stdout).toContain('Rate(>=3)');
  const [table] = JSON.parse((await mga('validate', '--from', scores, '--json')).stdout);
  expect(table.rows.map(({ rate }: { rate: number }) => rate)).toEqual([1, 0.5]);
  expect((await mga('validate', '--from', scores, '--margin', 'x')).stderr).toContain('Cannot use --margin x');
  expect((await mga('validate')).code).toBe(EXIT.userError);
});

test('mga init writes a recipe that loads, and overwrites nothing', async () => {
  const folder = join(newFolder(), 'My Labels');
  expect((await mga('init', folder)).code).toBe(EXIT.ok);
  const before = process.cwd();
  process.chdir(folder);
  try {
    const { stdout } = await mga('plan', 'recipe.yaml');
    expect(stdout).toContain('Run checkpoints/my-labels');
    expect(stdout).toMatch(/^pairs +20 /m);
    const checks = JSON.parse(
      (await mga('doctor', 'recipe.yaml', '--set', 'train.model=tiny-random', '--json')).stdout,
    );
    const key = checks.find(({ name }: { name: string }) => name === 'Key');
    expect(key).toMatchObject({ state: 'fail', found: 'OPENAI_API_KEY is not set' });
  } finally {
    process.chdir(before);
  }
  expect((await mga('init', folder)).stderr).toContain('it exists already');
});

test('mga doctor passes on the debug recipe and names what fails', async () => {
  const healthy = await mga('doctor', 'recipes/debug.yaml');
  expect(healthy.stdout).toContain('✓ onnxruntime: loads');
  expect(healthy.stdout).toMatch(/✓ Weights of tiny-random: /);
  expect(healthy.code).toBe(EXIT.ok);
  const sick = await mga(
    'doctor',
    'recipes/debug.yaml',
    '--set',
    'corpus.path=nowhere.jsonl',
    '--set',
    'train.model=nosuch',
  );
  expect(sick.code).toBe(EXIT.userError);
  expect(sick.stdout).toContain('✗ Corpus: no file nowhere.jsonl');
  expect(sick.stderr).toContain('Not ready: Corpus, Weights of nosuch');
});

test('mga doctor looks at the keys and servers of judges and of arms, each once', async () => {
  const teacher = (name: string) => `{kind: openai, model: ${name}, apiKeyEnv: ${name}_KEY, baseUrlEnv: ${name}_URL}`;
  const sets = [
    `judge.teacher=${teacher('JUDGE')}`,
    `judge.second=${teacher('SECOND')}`,
    'validate.judge.kind=teacher',
    `validate.judge.second=${teacher('THIRD')}`,
    'validate.arms=[teacher, {kind: server, name: other, model: m, baseUrl: "http://localhost:1/v1", apiKeyEnv: ARM_KEY}]',
  ].flatMap((set) => ['--set', set]);
  const env = { JUDGE_KEY: 'x', JUDGE_URL: 'http://localhost:1/v1', SECOND_URL: 'localhost', THIRD_KEY: 'x' };
  const { stdout } = await mga.with(env)('doctor', 'recipes/debug.yaml', '--json', ...sets);
  const checks = (JSON.parse(stdout) as { name: string; state: string; found: string }[])
    .filter(({ name }) => /^(Key|Server)/.test(name))
    .map(({ name, state, found }) => [name, state, found]);
  expect(checks).toEqual([
    ['Key (judge)', 'ok', 'JUDGE_KEY is set'],
    ['Server (judge)', 'ok', 'http://localhost:1/v1'],
    ['Key (judge)', 'fail', 'SECOND_KEY is not set'],
    ['Server (judge)', 'fail', 'SECOND_URL is localhost, which is no URL'],
    ['Key (judge)', 'ok', 'THIRD_KEY is set'],
    ['Server (judge)', 'warn', 'THIRD_URL is not set: https://api.openai.com/v1'],
    ['Key (arm other)', 'fail', 'ARM_KEY is not set'],
  ]);
});

test('the process mga prints its help and passes exit codes on', async () => {
  const [help, wrong] = await Promise.all([runMga(['--help']), runMga(['nonsense'])]);
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout).toContain('Usage: mga COMMAND');
  expect(wrong.code).toBe(1);
});
