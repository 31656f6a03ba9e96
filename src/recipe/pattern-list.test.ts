import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { UserError } from '../foundation/errors.ts';
import { parseRecipe } from './load.ts';
import { patternListNames, readPatternLists } from './pattern-list.ts';

const folder = mkdtempSync(join(tmpdir(), 'patterns-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text);
  return join(folder, name);
};
const recipe = (curate: string) => `name: r
corpus: {path: x}
teacher: {kind: recorded, folder: x}
curate: ${curate}
students: [{name: w, stages: [pairs]}]
`;

test('readPatternLists() joins the lists of the toolkit and those of a recipe, in order', () => {
  const own = file('own.yaml', "description: d\npatterns: [{name: moral, where: end, pattern: '^the moral'}]\n");
  const [first, ...rest] = readPatternLists([own, 'ai-talk']);
  expect(first).toEqual({ name: 'moral', where: 'end', pattern: /^the moral/iu });
  expect(rest.map(({ name }) => name)).toEqual(['as-an-ai', 'i-am-an-ai']);
});

test.each([
  ['no such file', 'gone.yaml', undefined, /gone\.yaml: ENOENT/, /names: ai-talk, announcements/],
  ['no YAML', 'a.yaml', 'patterns: [', /a\.yaml, line 1: /, undefined],
  [
    'an unknown key',
    'b.yaml',
    'description: d\npatterns:\n  - {name: a, were: end, where: end, pattern: x}\n',
    /b\.yaml, line 3: patterns\.0\.were: unknown key/,
    /Did you mean patterns\.0\.where\?/,
  ],
  [
    'no regular expression',
    'c.yaml',
    "description: d\npatterns:\n  - name: a\n    where: end\n    pattern: '(x'\n",
    /c\.yaml, line 5: patterns\.0\.pattern: .*Unterminated group/,
    /docs\/curating\.md/,
  ],
  ['an unknown place', 'd.yaml', 'description: d\npatterns: [{name: a, where: top, pattern: x}]\n', /0\.where: /, /./],
  ['no patterns', 'e.yaml', 'description: d\npatterns: []\n', /e\.yaml, line 2: patterns: /, /./],
])('readPatternLists() refuses a list with %s', (_what, name, text, message, hint) => {
  const path = text === undefined ? join(folder, name) : file(name, text);
  expect(() => readPatternLists([path])).toThrow(UserError);
  expect(() => readPatternLists([path])).toThrow(message);
  try {
    readPatternLists([path]);
  } catch (error) {
    if (hint) expect((error as UserError).hint).toMatch(hint);
  }
});

test('a recipe names lists and rules that exist; the nearest one is offered', () => {
  const load = (curate: string) => () => parseRecipe(recipe(curate), 'r.yaml');
  expect(load('{patterns: [notes, my/list.yaml], rules: [loops]}')).not.toThrow();
  expect(load('{patterns: [notess]}')).toThrow(
    'r.yaml, line 4: curate.patterns.0: there is no pattern list notess; did you mean notes?',
  );
  expect(load('{patterns: [notes, qqqqqqqq]}')).toThrow(
    `known are ${patternListNames().join(', ')}; a file of your own`,
  );
  expect(load('{rules: [loop]}')).toThrow('curate.rules.0: there is no cleaning rule loop; did you mean loops?');
});
