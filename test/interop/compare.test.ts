/** The page of two runs in a real browser: silent, filterable, accessible. Screenshots go to .cache/compare. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeComparison } from '../../src/pipeline/write-comparison.ts';
import { makeLaterRun } from '../golden/report/make-later-run.ts';
import { makeRun } from '../golden/report/make-run.ts';
import { type Browser, openBrowser, type Page, seriousViolations } from './report-browser.ts';

const SHOTS = new URL('../../.cache/compare/', import.meta.url).pathname;
const WIDE = { width: 1360, height: 900 };
const NARROW = { width: 400, height: 850 };
const HOSTILE = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)>';

const root = mkdtempSync(join(tmpdir(), 'mga-compare-'));
let browser: Browser;
let path: string;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await openBrowser();
  const runs = [makeRun(join(root, 'may'), { hostile: HOSTILE }), makeLaterRun(join(root, 'june'))] as const;
  ({ path } = await writeComparison(...runs, undefined, new AbortController().signal));
});

afterAll(async () => {
  await browser.close();
  rmSync(root, { recursive: true });
});

async function open(settings: { bypassCSP?: boolean } = {}) {
  const page = await browser.newPage({ viewport: WIDE, ...settings });
  const url = pathToFileURL(path).href;
  const noise: string[] = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('dialog', () => noise.push('dialog'));
  page.on('request', (request) => !request.url().startsWith(url) && noise.push(request.url()));
  await page.goto(url);
  await page.locator('.sample').first().waitFor();
  return { page, noise };
}

const count = async (page: Page) => Number.parseInt((await page.locator('#sample-count').textContent()) ?? '', 10);
const choose = (page: Page, name: string, value: string) => page.locator(`select[name=${name}]`).selectOption(value);

describe('the page of two runs', () => {
  it('opens without a console message and without a request, also with hostile texts', async () => {
    const { page, noise } = await open();
    expect(await page.locator('h1').textContent()).toMatch(/june is better by/);
    expect(await page.evaluate('document.title')).toBe('june against may');
    expect(await page.locator('img').count()).toBe(0);
    expect(noise).toEqual([]);
  });

  it('filters by model, stage, document and what became of the score', async () => {
    const { page } = await open();
    const all = await count(page);
    expect(all).toBe(62 * 4 + 8);
    await choose(page, 'arm', 'student-w8a8');
    await choose(page, 'change', 'better');
    const better = await count(page);
    expect(better).toBeGreaterThan(40);
    const scores = await page.locator('.sample .facts b').allTextContents();
    for (let i = 0; i < scores.length; i += 2) {
      expect(Number(scores[i + 1]!.slice(-1))).toBe(Number(scores[i]!.slice(-1)) + 1);
    }
    await choose(page, 'change', 'worse');
    expect(await count(page)).toBe(0);
    await choose(page, 'change', 'gained');
    const gained = await count(page);
    expect(gained).toBeGreaterThan(0);
    expect(gained).toBeLessThan(better);
    await page.locator('button[type=reset]').click();
    await expect.poll(() => count(page)).toBe(all);
    await choose(page, 'stage', 'pairs');
    expect(await count(page)).toBe(8);
  });

  it('marks the words that differ from the first run', async () => {
    const { page } = await open();
    await choose(page, 'arm', 'student-w8a8');
    const [first, second] = ['.sample .run-first .body', '.sample .run-second .body'];
    expect(await page.locator(`${first} ins, ${first} del`).count()).toBe(0);
    expect(await page.locator(`${second} ins`).first().textContent()).toContain('that is how it ends.');
    await page.locator('#samples').first().locator('h2').click();
    await page.screenshot({ path: join(SHOTS, 'diff.png') });
    await choose(page, 'arm', 'teacher');
    expect(await page.locator(`${second} ins, ${second} del`).count()).toBe(0);
    await choose(page, 'compare', 'source');
    expect(await page.locator(`${first} ins`).count()).toBeGreaterThan(5);
  });

  it.each(['light', 'dark'] as const)('has no serious accessibility fault in %s', async (colorScheme) => {
    const { page } = await open({ bypassCSP: true });
    await page.emulateMedia({ colorScheme });
    await page.evaluate('document.querySelectorAll("details").forEach((part) => { part.open = true; })');
    expect(await seriousViolations(page)).toEqual([]);
    await page.screenshot({ path: join(SHOTS, `${colorScheme}.png`), fullPage: true });
    await page.setViewportSize(NARROW);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(NARROW.width);
    await page.screenshot({ path: join(SHOTS, `${colorScheme}-narrow.png`), fullPage: true });
  });
});
