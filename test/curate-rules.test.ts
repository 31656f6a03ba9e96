/** Every rule in src/curate/rules has examples in test/golden/rules/<rule>: texts it keeps and texts it drops. */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { nearDuplicates } from '../src/corpus/near-duplicates.ts';
import type { Rule, RuleSample } from '../src/curate/rule.ts';
import { RULES } from '../src/curate/rules.ts';
import { CLEANING_RULES, PATTERN_LISTS } from '../src/recipe/cleaning-names.ts';
import { patternListNames, readPatternLists } from '../src/recipe/pattern-list.ts';
import { recipeSchema } from '../src/recipe/schema.ts';

const RULE_FILES = fileURLToPath(new URL('../src/curate/rules', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('golden/rules', import.meta.url));
const CURATE = recipeSchema.shape.curate.parse({});
const SETTINGS = { ...CURATE, patterns: readPatternLists(CURATE.patterns) };

const names = readdirSync(RULE_FILES)
  .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
  .map((file) => basename(file, '.ts'));

function examples(rule: string, kind: 'valid' | 'invalid'): (RuleSample & { name: string })[] {
  const lines = readFileSync(join(EXAMPLES, rule, `${kind}.jsonl`), 'utf8')
    .trim()
    .split('\n');
  return lines.map((line) => JSON.parse(line) as RuleSample & { name: string });
}

describe.each(names)('rule %s', async (name) => {
  const module = (await import(join(RULE_FILES, `${name}.ts`))) as Record<string, Rule>;
  const rule = Object.values(module)[0]!;

  test('is named for its file and is one of RULES', () => {
    expect(rule.name).toBe(name);
    expect(RULES).toContain(rule);
  });

  test.each(examples(name, 'valid'))('keeps: $name', (sample) => {
    expect(rule.check(sample, SETTINGS)).toEqual({ keep: true });
  });

  test.each(examples(name, 'invalid'))('drops: $name', (sample) => {
    const verdict = rule.check(sample, SETTINGS);
    expect(verdict).toMatchObject({ keep: false });
    if (!verdict.keep) expect(verdict.reason).not.toBe('');
  });
});

test('recipes know every rule by its name, and the pattern lists of data/patterns', () => {
  expect(RULES.map(({ name }) => name)).toEqual(CLEANING_RULES);
  expect([...PATTERN_LISTS].sort()).toEqual(patternListNames());
});

test.each(SETTINGS.patterns)('pattern $name drops a text of the examples, and is what drops it', (pattern) => {
  const boilerplate = RULES.find(({ name }) => name === 'boilerplate')!;
  const found = examples('boilerplate', 'invalid').map((sample) =>
    boilerplate.check(sample, { ...SETTINGS, patterns: [pattern] }),
  );
  expect(found).toContainEqual({ keep: false, reason: expect.stringMatching(`^${pattern.name}: ".+"$`) });
});

test('samples are near-duplicates, or not, as the examples say', () => {
  const duplicate = ({ text, source }: RuleSample) =>
    nearDuplicates(
      [
        { id: 'first', text: source },
        { id: 'second', text },
      ],
      CURATE.duplicateSimilarity,
    ).has('second');
  expect(examples('near-duplicate', 'invalid').filter((sample) => !duplicate(sample))).toEqual([]);
  expect(examples('near-duplicate', 'valid').filter(duplicate)).toEqual([]);
});

test('no examples are left of a rule that is gone', () => {
  const known = [...names, 'near-duplicate'];
  expect(readdirSync(EXAMPLES).filter((name) => !known.includes(name))).toEqual([]);
});
