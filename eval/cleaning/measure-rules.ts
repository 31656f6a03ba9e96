/** Precision and recall of the cleaning rules on the recorded texts: `npm run -s bench -- cleaning`. */

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { nearDuplicates } from '../../src/corpus/near-duplicates.ts';
import { firstObjection, RULES } from '../../src/curate/rules.ts';
import { readPatternLists } from '../../src/recipe/pattern-list.ts';
import { recipeSchema } from '../../src/recipe/schema.ts';
import { clusteredRate, type Interval } from '../../src/statistics/wilson.ts';

interface RecordedText {
  id: string;
  doc_id: string;
  kind: string;
  text: string;
}

/** What one rule drops. Shares are 0..1, null where nothing was dropped; intervals are 95% over documents. */
export interface RuleFigures {
  rule: string;
  /** Of the teacher's own texts, all of them good (`base`). */
  good: number;
  /** Of its imitated failures (`flawed`). */
  flawed: number;
  /** Of those that the judge gave 1 or 2 at best and that were meant as the worse of two. */
  worse: number;
  precision: number | null;
  precision_ci: Interval | null;
  recall: number;
  recall_ci: Interval;
}

export interface CleaningFigures {
  texts: { good: number; flawed: number; worse: number };
  rules: RuleFigures[];
}

const read = <T>(name: string): T[] =>
  readFileSync(fileURLToPath(new URL(`../../data/recorded/${name}`, import.meta.url)), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as T);

/** All rules with the limits and pattern lists that a recipe has by default; `boilerplate` also list by list. */
export function measureRules(): CleaningFigures {
  const curate = recipeSchema.shape.curate.parse({});
  const settings = { ...curate, patterns: readPatternLists(curate.patterns) };
  const sources = new Map(read<{ id: string; text: string }>('documents.jsonl').map(({ id, text }) => [id, text]));
  const texts = read<RecordedText>('texts.jsonl').filter(({ kind }) => kind === 'base' || kind === 'flawed');
  const sample = ({ text, doc_id }: RecordedText) => ({ text, source: sources.get(doc_id)! });
  const duplicates = nearDuplicates(texts, curate.duplicateSimilarity);
  const boilerplate = RULES.find(({ name }) => name === 'boilerplate')!;
  const rows: [string, (text: RecordedText) => boolean][] = [
    ...RULES.map((rule): (typeof rows)[number] => [rule.name, (text) => !rule.check(sample(text), settings).keep]),
    ...curate.patterns.map((list): (typeof rows)[number] => {
      const alone = { ...settings, patterns: readPatternLists([list]) };
      return [`boilerplate: ${list}`, (text) => !boilerplate.check(sample(text), alone).keep];
    }),
    ['near-duplicate', ({ id }) => duplicates.has(id)],
    ['all', (text) => firstObjection(sample(text), settings) !== undefined || duplicates.has(text.id)],
  ];
  const count = (wanted: (text: RecordedText) => boolean) => texts.filter(wanted).length;
  return {
    texts: { good: count(isGood), flawed: count(isFlawed), worse: count(isWorse) },
    rules: rows.map(([rule, drops]) => {
      const dropped = new Set(texts.filter(drops));
      const precision = shareOf([...dropped], isFlawed);
      const recall = shareOf(texts.filter(isFlawed), (text) => dropped.has(text));
      const of = (wanted: (text: RecordedText) => boolean) => [...dropped].filter(wanted).length;
      return {
        rule,
        good: of(isGood),
        flawed: of(isFlawed),
        worse: of(isWorse),
        precision: dropped.size === 0 ? null : precision.rate,
        precision_ci: dropped.size === 0 ? null : precision.interval,
        recall: recall.rate,
        recall_ci: recall.interval,
      };
    }),
  };
}

const isGood = ({ kind }: RecordedText) => kind === 'base';
const isFlawed = ({ kind }: RecordedText) => kind === 'flawed';
/** Each of the longer documents has a milder flawed text and a worse one. */
const isWorse = ({ kind, id }: RecordedText) => kind === 'flawed' && id.endsWith('f2');

/** Texts of one document are not independent of each other. */
function shareOf(texts: readonly RecordedText[], wanted: (text: RecordedText) => boolean) {
  const clusters = new Map<string, { successes: number; total: number }>();
  for (const text of texts) {
    const cluster = clusters.get(text.doc_id) ?? { successes: 0, total: 0 };
    clusters.set(text.doc_id, cluster);
    cluster.total++;
    if (wanted(text)) cluster.successes++;
  }
  return clusteredRate([...clusters.values()]);
}

/** The figures as a page. */
export function renderFigures({ texts, rules }: CleaningFigures): string {
  const percent = (share: number) => `${(100 * share).toFixed(0)}%`;
  const interval = (range: Interval | null) => (range ? `${percent(range[0])}..${percent(range[1])}` : '');
  const rows = rules.map(({ rule, good, flawed, worse, precision, precision_ci, recall, recall_ci }) =>
    [
      rule,
      good,
      flawed,
      worse,
      precision === null ? '' : percent(precision),
      interval(precision_ci),
      percent(recall),
      interval(recall_ci),
    ].join(' | '),
  );
  return `# What the cleaning rules find

Made by \`npm run -s bench -- cleaning\`; test/curate-recording.test.ts makes it again and compares.

Each rule alone, and all together, on the recorded texts (data/recorded): ${texts.good} good ones, written by the teacher in earnest,
and ${texts.flawed} flawed ones, in which it imitated how small models fail. ${texts.worse} of these are the worse of two.
Precision: flawed among dropped. Recall: dropped among flawed. Intervals are 95% over documents. Limits and pattern lists
are the defaults, and were chosen in sight of these texts: expect less on others. Precision also depends on how many texts
are flawed; here it is ${percent(texts.flawed / (texts.good + texts.flawed))}. Most of what the rules miss drifts from or contradicts its source, which only a judge can see.

| rule | good dropped | flawed dropped | of them worse | precision | 95% | recall | 95% |
|---|---|---|---|---|---|---|---|
${rows.map((row) => `| ${row} |`).join('\n')}
`;
}
