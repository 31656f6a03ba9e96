/** status.json of a run: how far collecting is and what it cost, for `mga status` while another process holds the ledger. */

import { readFileSync } from 'node:fs';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import type { StageName } from '../stage/stage.ts';
import type { Spend } from '../store/ledger-index.ts';
import type { JudgingReport } from './judging-report.ts';

export interface StageCounts {
  total: number;
  answered: number;
  failed: number;
  /** Answered, but not in the form the stage asks for. */
  unparsed: number;
}

export interface CollectStatus {
  state: 'running' | 'complete' | 'stopped' | 'failed';
  pid: number;
  updatedAt: string;
  teacher: string;
  stages: Record<StageName, StageCounts>;
  spend: Spend[];
  /** US dollars of all responses in the ledger with a known price. */
  usd: number;
  /** Requests that left and were never answered, of earlier processes too. */
  possiblyCharged: { stage: StageName; item: string; model: string; at: string }[];
  /** Once the stage `judge` is complete. */
  judging?: JudgingReport;
}

/**
 * A throttled writer of the `collect` part of status.json; other parts of the file are kept. The file is a convenience: where it
 * cannot be written, collecting goes on, since the ledger tells the same.
 */
export function statusFile(path: string, intervalMs = 1000): { write(status: CollectStatus, force?: boolean): void } {
  let last = Number.NEGATIVE_INFINITY;
  return {
    write(status, force = false) {
      if (!force && performance.now() - last < intervalMs) return;
      last = performance.now();
      try {
        writeFileAtomic(path, JSON.stringify({ ...readParts(path), collect: status }, null, 1) + '\n');
      } catch {}
    },
  };
}

function readParts(path: string): Record<string, unknown> {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  } catch {
    return {};
  }
}
