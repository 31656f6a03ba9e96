import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Ledger, ResponseReader } from './ledger.ts';
import { indexLedger } from './ledger-index.ts';
import type { FailureLine, ResponseLine, SentLine } from './ledger-lines.ts';
import { takeLock } from './ledger-lock.ts';
import { ledgerSegments } from './ledger-read.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mga-ledger-'));
});

afterEach(() => rmSync(folder, { recursive: true, force: true }));

const head = (key: string) => ({
  key,
  stage: 'pairs' as const,
  docId: key,
  item: key,
  model: 'm',
  promptVersion: 'p',
  at: '2025-01-01T00:00:00.000Z',
});
const sent = (key: string, attempt = 1): SentLine => ({ type: 'sent', ...head(key), attempt });
const response = (key: string, text = `Größe of ${key}`): ResponseLine => ({
  type: 'response',
  ...head(key),
  messages: [{ role: 'user', content: 'x' }],
  params: { temperature: 0, maxTokens: 5 },
  text,
  finishReason: 'stop',
  usage: { promptTokens: 10, completionTokens: 2 },
  usd: 0.5,
  latencyMs: 1,
});
const failure = (key: string): FailureLine => ({
  type: 'failure',
  ...head(key),
  reason: 'no',
  attempts: 1,
  final: true,
});

async function write(...lines: (SentLine | ResponseLine | FailureLine)[]): Promise<void> {
  const ledger = await Ledger.open(folder);
  try {
    for (const line of lines) await ledger.append(line);
  } finally {
    await ledger.close();
  }
}

describe('Ledger', () => {
  it('gives responses back from any segment, also while it is being written', async () => {
    await write(sent('a'), response('a'));
    const ledger = await Ledger.open(folder);
    await Promise.all(['b', 'c', 'd'].map((key) => ledger.append(response(key))));
    const reader = new ResponseReader(folder);
    for (const key of ['a', 'b', 'c', 'd']) {
      expect(reader.read(ledger.index.responses.get(key)!)).toEqual(response(key));
    }
    reader.close();
    await ledger.close();
    expect((await indexLedger(folder)).responses).toEqual(ledger.index.responses);
    expect(ledgerSegments(folder)).toEqual(['000001.jsonl', '000002.jsonl']);
  });

  it('has a line on disk when append() resolves', async () => {
    const ledger = await Ledger.open(folder);
    await ledger.append(sent('a'));
    expect(readFileSync(join(folder, '000001.jsonl'), 'utf8')).toBe(JSON.stringify(sent('a')) + '\n');
    await ledger.close();
  });

  it('drops and reports a last line torn at any byte, keeps the rest, and goes on in a new segment', async () => {
    await write(response('a'), response('b'));
    const path = join(folder, '000001.jsonl');
    const whole = readFileSync(path);
    const firstLine = whole.indexOf(0x0a) + 1;
    for (let end = firstLine; end < whole.length; end++) {
      writeFileSync(path, whole.subarray(0, end));
      const index = await indexLedger(folder);
      // Without its newline alone, the line is whole.
      const lost = end > firstLine && end < whole.length - 1;
      expect([...index.responses.keys()], `cut at ${end}`).toEqual(end === whole.length - 1 ? ['a', 'b'] : ['a']);
      expect(index.torn).toEqual(lost ? [{ segment: '000001.jsonl', line: 2, bytes: end - firstLine }] : []);
    }
    writeFileSync(path, whole.subarray(0, whole.length - 5));
    await write(response('c'));
    expect([...(await indexLedger(folder)).responses.keys()]).toEqual(['a', 'c']);
  });

  it('refuses a damaged line in the middle, naming file and line', async () => {
    await write(response('a'), response('b'));
    const path = join(folder, '000001.jsonl');
    writeFileSync(path, `{"type"\n${readFileSync(path, 'utf8')}`);
    await expect(indexLedger(folder)).rejects.toThrow(/000001\.jsonl: line 1/);
  });

  it('refuses every line after a failed write and says what to do', async () => {
    const ledger = await Ledger.open(folder);
    rmSync(folder, { recursive: true });
    writeFileSync(folder, 'in the way');
    await expect(ledger.append(sent('a'))).rejects.toThrow(/Cannot write the ledger/);
    rmSync(folder);
    mkdirSync(folder);
    await expect(ledger.append(sent('b'))).rejects.toThrow(/Cannot write the ledger/);
    expect(ledgerSegments(folder)).toEqual([]);
    await ledger.close();
  });
});

describe('LedgerIndex', () => {
  it('counts what left without an answer as lost once its process ended, retries not', async () => {
    await write(sent('a'), sent('a', 2), sent('b'), failure('b'), sent('c'));
    await write(sent('a'), response('a'));
    const index = await indexLedger(folder);
    expect(index.lost.map((line) => line.key)).toEqual(['a']);
    expect([...index.open.keys()]).toEqual(['c']);
    expect([...index.failures.keys()]).toEqual(['b']);
  });

  it('adds up every response of the ledger, and lets the first of a key count', async () => {
    await write(response('a', 'first'), response('a', 'second'), { ...response('b'), usd: null });
    const index = await indexLedger(folder);
    const reader = new ResponseReader(folder);
    expect(reader.read(index.responses.get('a')!).text).toBe('first');
    reader.close();
    expect(index.spend).toEqual([
      { stage: 'pairs', model: 'm', responses: 3, promptTokens: 30, completionTokens: 6, usd: 1, unpriced: 1 },
    ]);
  });
});

describe('takeLock()', () => {
  it('refuses a second holder and names the first', () => {
    const path = join(folder, 'lock');
    const release = takeLock(path);
    expect(() => takeLock(path)).toThrow(new RegExp(`process ${process.pid} .* since 20`));
    release();
    takeLock(path)();
  });

  it('takes over from a process that died, and from one whose number was given away since', () => {
    const path = join(folder, 'lock');
    const since = '2025-01-01T00:00:00.000Z';
    // Above the largest process number Linux gives.
    writeFileSync(path, JSON.stringify({ pid: 2 ** 22 + 1, host: hostname(), since }));
    takeLock(path)();
    writeFileSync(path, JSON.stringify({ pid: process.ppid, host: hostname(), since, started: '1' }));
    takeLock(path)();
    appendFileSync(path, 'half a lo');
    takeLock(path)();
  });

  it('does not judge processes of another machine', () => {
    const path = join(folder, 'lock');
    writeFileSync(path, JSON.stringify({ pid: 1, host: 'elsewhere', since: '2025-01-01T00:00:00.000Z' }));
    expect(() => takeLock(path)).toThrow(/on elsewhere/);
  });
});
