/** Writes a tiny random model to a folder, for the recording scripts beside this file: Llama's defaults, or a family's. */

import { FAMILIES } from '../../src/model/families/families.ts';
import { writeTinyModel } from '../../src/model/tiny.ts';
import { tinyFamily } from '../../test/tiny-families.ts';

const [folder, name] = process.argv.slice(2);
if (folder === undefined) throw new Error('Usage: npx tsx eval/golden/make-tiny.ts FOLDER [FAMILY]');
const family = Object.values(FAMILIES).find((one) => one.name === name);
if (name !== undefined && !family) throw new Error(`No family ${name}: ${Object.keys(FAMILIES).join(', ')}`);
writeTinyModel(folder, family ? tinyFamily(family.name) : {});
