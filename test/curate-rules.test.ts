/** Every rule in src/curate/rules has examples in test/golden/rules/<rule>: texts it keeps and texts it drops. */

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import type { Rule, RuleSample } from '../src/curate/rule.ts';
import { RULES } from '../src/curate/rules.ts';

const RULE_FILES = fileURLToPath(new URL('../src/curate/rules', import.meta.url));
const EXAMPLES = fileURLToPath(new URL('golden/rules', import.meta.url));
const SETTINGS = { minKeywordCoverage: 0.1, maxCopied: 0.5 };

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

test('no examples are left of a rule that is gone', () => {
  expect(readdirSync(EXAMPLES).filter((name) => !existsSync(join(RULE_FILES, `${name}.ts`)))).toEqual([]);
});
