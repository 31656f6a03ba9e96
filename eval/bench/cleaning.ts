/** `npm run -s bench -- cleaning`: what the cleaning rules find in the recorded texts. Rewrites eval/cleaning/README.md. */

import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { measureRules, renderFigures } from '../cleaning/measure-rules.ts';

const figures = measureRules();
const page = renderFigures(figures);
writeFileSync(fileURLToPath(new URL('../cleaning/README.md', import.meta.url)), page);
const { precision, recall } = figures.rules.at(-1)!;
console.log(page);
console.log(JSON.stringify({ bench: 'cleaning', ...figures.texts, precision, recall }));
