/** Writes the tiny random model to a folder, for the recording scripts beside this file. */

import { writeTinyModel } from '../../src/model/tiny.ts';

const folder = process.argv[2];
if (folder === undefined) throw new Error('Usage: npx tsx eval/golden/make-tiny.ts FOLDER');
writeTinyModel(folder);
