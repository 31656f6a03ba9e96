/** Makes the students of one round those of the run. */

import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { readManifest } from '../foundation/artifact.ts';
import { writeFileAtomic } from '../foundation/atomic-file.ts';
import { type RunFolder, roundFolder } from '../foundation/run-folder.ts';
import type { Recipe } from '../recipe/schema.ts';

const MANIFEST = 'manifest.json';

/** Copies what training left of each student but its checkpoints; the manifest last, so that a kill leaves no half student. */
export function settleStudents({ students }: Recipe, folder: RunFolder, round: number): void {
  for (const { name } of students) {
    const from = roundFolder(folder, round).student(name);
    const to = folder.student(name);
    const made = readManifest(from);
    if (readManifest(to)?.createdAt === made?.createdAt && readManifest(to)?.inputHash === made?.inputHash) continue;
    mkdirSync(to, { recursive: true });
    // What another round, or a training without rounds, left behind must not look complete in between.
    rmSync(join(to, MANIFEST), { force: true });
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      if (entry.isFile() && entry.name !== MANIFEST) copyFileSync(join(from, entry.name), join(to, entry.name));
    }
    writeFileAtomic(join(to, MANIFEST), readFileSync(join(from, MANIFEST)));
  }
}
