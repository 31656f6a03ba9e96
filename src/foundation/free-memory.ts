/** How much memory programs can still get. */

import { existsSync, readFileSync } from 'node:fs';
import { freemem } from 'node:os';

/** Bytes; caches of the system count as free, which os.freemem() leaves out. */
export function freeMemory(): number {
  const line = existsSync('/proc/meminfo') && /^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return line ? Number(line[1]) * 1024 : freemem();
}
