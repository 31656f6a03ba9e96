/** The append-only ledger of a run: every request and raw response, synced to disk before anything is made of it. */

import { closeSync, fsyncSync, openSync, readSync } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { errorMessage, UserError } from '../foundation/errors.ts';
import { indexLedger, type LedgerIndex } from './ledger-index.ts';
import type { LedgerLine, ResponseLine } from './ledger-lines.ts';
import { takeLock } from './ledger-lock.ts';
import { type LinePosition, ledgerSegments } from './ledger-read.ts';

interface Waiting {
  line: LedgerLine;
  bytes: Buffer;
  resolve: () => void;
  reject: (error: unknown) => void;
}

/** Bytes after which a new segment begins, so that a file stays easy to copy and to look into. */
const SEGMENT_BYTES = 64 << 20;

export class Ledger {
  readonly folder: string;
  readonly index: LedgerIndex;
  readonly #release: () => void;
  #file: FileHandle | undefined;
  #segment = '';
  #size = 0;
  #waiting: Waiting[] = [];
  #flushing: Promise<void> | undefined;
  #broken: unknown;

  private constructor(folder: string, index: LedgerIndex, release: () => void) {
    this.folder = folder;
    this.index = index;
    this.#release = release;
  }

  /**
   * Locks the ledger for this process and reads its index. Nothing is ever written after a torn line: each opening begins a new segment.
   *
   * @throws UserError where another process holds the ledger, or a line is damaged
   */
  static async open(folder: string): Promise<Ledger> {
    const release = takeLock(join(folder, 'lock'));
    try {
      return new Ledger(folder, await indexLedger(folder), release);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Appends a line; resolves when it is on disk. Lines that arrive during a sync share the next write and sync. */
  append(line: LedgerLine): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ line, bytes: Buffer.from(JSON.stringify(line) + '\n'), resolve, reject });
      this.#flushing ??= this.#flush();
    });
  }

  /** Waits for what is being written, then gives the lock back. */
  async close(): Promise<void> {
    await this.#flushing;
    await this.#file?.close();
    this.#release();
  }

  async #flush(): Promise<void> {
    // One turn later, so that lines of the same moment go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.splice(0);
      try {
        if (this.#broken !== undefined) throw this.#broken;
        await this.#write(batch);
        for (const { resolve } of batch) resolve();
      } catch (error) {
        // After a failed write the end of the segment is unknown: nothing may follow it.
        this.#broken ??= new UserError(
          `Cannot write the ledger in ${this.folder}: ${errorMessage(error)}`,
          'Make room on the disk, then run the same command again: everything before this is kept',
          { cause: error },
        );
        for (const { reject } of batch) reject(this.#broken);
      }
    }
    this.#flushing = undefined;
  }

  async #write(batch: Waiting[]): Promise<void> {
    if (this.#file === undefined || this.#size >= SEGMENT_BYTES) await this.#nextSegment();
    const file = this.#file!;
    const bytes = Buffer.concat(batch.map((waiting) => waiting.bytes));
    for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done)).bytesWritten;
    await file.datasync();
    for (const { line, bytes } of batch) {
      this.index.add(line, { segment: this.#segment, offset: this.#size, length: bytes.length - 1 });
      this.#size += bytes.length;
    }
  }

  async #nextSegment(): Promise<void> {
    await this.#file?.close();
    await mkdir(this.folder, { recursive: true });
    const last = ledgerSegments(this.folder).at(-1) ?? '0';
    this.#segment = `${String(Number.parseInt(last, 10) + 1).padStart(6, '0')}.jsonl`;
    this.#file = await open(join(this.folder, this.#segment), 'ax');
    this.#size = 0;
    syncFolder(this.folder);
  }
}

/** Reads responses back from where the index says they lie. Close it when done. */
export class ResponseReader {
  readonly #folder: string;
  readonly #files = new Map<string, number>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  read(position: LinePosition): ResponseLine {
    let file = this.#files.get(position.segment);
    if (file === undefined) {
      file = openSync(join(this.#folder, position.segment), 'r');
      this.#files.set(position.segment, file);
    }
    const bytes = Buffer.alloc(position.length);
    readSync(file, bytes, 0, position.length, position.offset);
    return JSON.parse(bytes.toString('utf8')) as ResponseLine;
  }

  close(): void {
    for (const file of this.#files.values()) closeSync(file);
    this.#files.clear();
  }
}

/** Makes a new file's name durable; some systems refuse to sync folders. */
function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    fsyncSync(handle);
    closeSync(handle);
  } catch {}
}
