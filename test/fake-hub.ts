/** A local Hugging Face hub with one data set, for tests: what it is, which files it has (in pages), and the files. */

import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeHub {
  url: string;
  /** Paths asked for, in order, without their queries. */
  asked: string[];
  close(): Promise<void>;
}

export interface FakeDataset {
  repo: string;
  /** Commits by branch or tag. */
  revisions: Record<string, string>;
  files: Record<string, string | Uint8Array>;
  /** Who does not bring it is told that there is no such data set. */
  token?: string;
  /** Claimed for files in LFS instead of the right SHA-256. */
  sha256?: string;
}

/** Entries of one page of a listing. */
const PAGE = 2;

export async function startFakeHub({ repo, revisions, files, token, sha256 }: FakeDataset): Promise<FakeHub> {
  const asked: string[] = [];
  const hashOf = (content: string | Uint8Array) => createHash('sha256').update(content).digest('hex');
  const entries = Object.entries(files).map(([path, content]) => ({
    type: 'file',
    path,
    oid: createHash('sha1').update(content).digest('hex'),
    size: Buffer.byteLength(content),
    ...(path.endsWith('.parquet')
      ? { lfs: { oid: sha256 ?? hashOf(content), size: Buffer.byteLength(content), pointerSize: 130 } }
      : {}),
  }));
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://hub');
    const path = decodeURIComponent(url.pathname);
    asked.push(path);
    const json = (status: number, value: unknown, headers: Record<string, string> = {}) =>
      response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value));
    if (token !== undefined && request.headers.authorization !== `Bearer ${token}`) {
      return json(401, { error: 'Repository not found' });
    }
    const info = `/api/datasets/${repo}/revision/`;
    const tree = `/api/datasets/${repo}/tree/`;
    const file = `/datasets/${repo}/resolve/`;
    if (path.startsWith(info)) {
      const sha = revisions[path.slice(info.length)];
      return sha === undefined ? json(404, { error: 'Invalid rev id' }) : json(200, { _id: '1', id: repo, sha });
    }
    if (path.startsWith(tree)) {
      const from = Number(url.searchParams.get('cursor') ?? 0);
      const next = `<http://${request.headers.host}${url.pathname}?recursive=true&cursor=${from + PAGE}>; rel="next"`;
      const folders = from === 0 ? [{ type: 'directory', path: 'data', oid: '0', size: 0 }] : [];
      const more = from + PAGE < entries.length ? { link: next } : undefined;
      return json(200, [...folders, ...entries.slice(from, from + PAGE)], more);
    }
    const [commit, ...rest] = path.startsWith(file) ? path.slice(file.length).split('/') : [''];
    const content = Object.values(revisions).includes(commit!) ? files[rest.join('/')] : undefined;
    if (content === undefined) return json(404, { error: 'not found' });
    const bytes = Buffer.from(content);
    const [, first = '0', last = String(bytes.length - 1)] =
      /bytes=(\d+)-(\d+)/.exec(request.headers.range ?? '') ?? [];
    response
      .writeHead(request.headers.range ? 206 : 200, {
        'content-range': `bytes ${first}-${last}/${bytes.length}`,
        etag: '"1"',
      })
      .end(bytes.subarray(Number(first), Number(last) + 1));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
