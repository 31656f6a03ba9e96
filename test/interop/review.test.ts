/** The page of mga review in a real browser: rated by keys, resumed, in two tabs, accessible. Screenshots go to .cache/review. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { RunFolder } from '../../src/foundation/run-folder.ts';
import type { Recipe } from '../../src/recipe/schema.ts';
import { type ReviewSummary, review } from '../../src/review/review.ts';
import { indexLedger } from '../../src/store/ledger-index.ts';
import { type FixtureOptions, makeRun } from '../golden/report/make-run.ts';
import { type Browser, openBrowser, type Page, seriousViolations } from './report-browser.ts';

const SHOTS = new URL('../../.cache/review/', import.meta.url).pathname;
const WIDE = { width: 1360, height: 900 };
const NARROW = { width: 400, height: 850 };
const HOSTILE = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)>';
const SAMPLE = 20;

const root = mkdtempSync(join(tmpdir(), 'mga-review-'));
let browser: Browser;
let ends: (() => Promise<ReviewSummary>)[] = [];

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await openBrowser();
});

afterEach(async () => {
  for (const end of ends) await end();
  ends = [];
});

afterAll(async () => {
  await browser.close();
  rmSync(root, { recursive: true });
});

/** Starts the review of a run; `end` is Ctrl-C. */
async function serve({ recipe, folder }: { recipe: Recipe; folder: RunFolder }) {
  const stop = new AbortController();
  let ended: Promise<ReviewSummary> | undefined;
  const url = await new Promise<string>((resolve, reject) => {
    const onOpen = (opened: { url: string }) => resolve(opened.url);
    const options = { frame: 'outputs', size: SAMPLE, rater: 'ann', port: 0, onOpen } as const;
    ended = review(recipe, folder, options, stop.signal);
    ended.catch(reject);
  });
  const end = () => {
    stop.abort();
    return ended!;
  };
  ends.push(end);
  return { url, end };
}

/** `noise` holds console errors, page errors, dialogs and requests to anywhere else. */
async function open(url: string, settings: { bypassCSP?: boolean } = {}) {
  const page = await browser.newPage({ viewport: WIDE, ...settings });
  const noise: string[] = [];
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && noise.push(message.text()));
  page.on('pageerror', (error) => noise.push(error.message));
  page.on('dialog', () => noise.push('dialog'));
  page.on('request', (request) => !request.url().startsWith(new URL(url).origin) && noise.push(request.url()));
  await page.goto(url);
  await page.locator('#text-0').waitFor();
  return { page, noise };
}

const count = (page: Page) => page.locator('#count').textContent();
const sees = (page: Page, text: string) => expect.poll(() => count(page), { timeout: 10_000 }).toBe(text);
const newRun = (name: string, options: FixtureOptions = {}) => makeRun(join(root, name), options);
const scores = async (folder: RunFolder) => (await indexLedger(folder.ledger)).ratings.map(({ score }) => score);

describe('the page of mga review', () => {
  it('shows a document and texts, says nothing of who wrote them, and asks nobody else', async () => {
    const { url } = await serve(newRun('silent'));
    const { page, noise } = await open(url);
    expect(await count(page)).toBe(`0 of ${SAMPLE} rated`);
    expect((await page.locator('#source').textContent())!.length).toBeGreaterThan(200);
    const shown = await page.evaluate<string>('document.documentElement.outerHTML');
    expect(shown).not.toMatch(/smollm2|trl-lora/);
    await page.screenshot({ path: join(SHOTS, 'light.png') });
    expect(noise).toEqual([]);
  });

  it('is rated with keys alone: 1 to 5, undo, skip, back and forth', async () => {
    const run = newRun('keys');
    const { url, end } = await serve(run);
    const { page, noise } = await open(url);
    const first = await page.locator('#text-0').textContent();
    await page.keyboard.press('4');
    await sees(page, `1 of ${SAMPLE} rated`);
    await page.keyboard.press('2');
    await sees(page, `2 of ${SAMPLE} rated`);
    await page.keyboard.press('u');
    await sees(page, `1 of ${SAMPLE} rated`);
    await page.keyboard.press('s');
    await sees(page, `1 of ${SAMPLE} rated, 1 skipped`);
    // Back to the first: its score is marked, and another one takes its place.
    while ((await page.locator('#text-0').textContent()) !== first) await page.keyboard.press('ArrowLeft');
    expect(await page.locator('#texts > section').first().locator('[aria-pressed=true]').textContent()).toBe('4');
    await page.keyboard.press('l');
    await page.keyboard.press('5');
    await expect.poll(() => scores(run.folder), { timeout: 10_000 }).toEqual([4, 2, null, null, 5]);
    expect(await count(page)).toBe(`1 of ${SAMPLE} rated, 1 skipped`);
    expect(await end()).toEqual({ outputs: SAMPLE, rated: 1, skipped: 1 });
    expect(noise).toEqual([]);
  });

  it('goes on where it ended, to the end, and says that all are rated', async () => {
    const run = newRun('resume');
    const { url, end } = await serve(run);
    const { page } = await open(url);
    for (let i = 1; i <= 8; i++) {
      await page.keyboard.press(String(1 + (i % 5)));
      await sees(page, `${i} of ${SAMPLE} rated`);
    }
    await end();
    // What is pressed after the end is not lost in silence.
    await page.keyboard.press('3');
    await page.locator('#failure').waitFor();
    expect(await page.locator('#failure').textContent()).toContain('This rating was not saved');
    expect(await count(page)).toBe(`8 of ${SAMPLE} rated`);

    const again = await serve(run);
    const { page: resumed } = await open(again.url);
    expect(await count(resumed)).toBe(`8 of ${SAMPLE} rated`);
    expect(await resumed.locator('#texts > .active [aria-pressed=true]').count()).toBe(0);
    for (let i = 9; i <= SAMPLE; i++) {
      await resumed.keyboard.press('4');
      await sees(resumed, `${i} of ${SAMPLE} rated`);
    }
    expect(await resumed.locator('#done').isVisible()).toBe(true);
    await resumed.screenshot({ path: join(SHOTS, 'done.png') });
    expect(await again.end()).toEqual({ outputs: SAMPLE, rated: SAMPLE, skipped: 0 });
    expect(new Set((await indexLedger(run.folder.ledger)).ratings.map(({ key }) => key)).size).toBe(SAMPLE);
  });

  it('counts a text rated in two tabs once, by the last rating', async () => {
    const run = newRun('tabs');
    const { url, end } = await serve(run);
    const [one, other] = [await open(url), await open(url)];
    await one.page.keyboard.press('5');
    await sees(one.page, `1 of ${SAMPLE} rated`);
    expect(await count(other.page)).toBe(`0 of ${SAMPLE} rated`);
    await other.page.keyboard.press('2');
    await sees(other.page, `1 of ${SAMPLE} rated`);
    await other.page.keyboard.press('3');
    await sees(other.page, `2 of ${SAMPLE} rated`);
    await one.page.evaluate('document.dispatchEvent(new Event("visibilitychange"))');
    await sees(one.page, `2 of ${SAMPLE} rated`);
    expect(await end()).toMatchObject({ rated: 2 });
    expect(await scores(run.folder)).toEqual([5, 2, 3]);
  });

  it('shows hostile texts as texts', async () => {
    const { url } = await serve(newRun('hostile', { hostile: HOSTILE, items: 4 }));
    const { page, noise } = await open(url);
    for (let i = 1; i < 12; i++) {
      await page.keyboard.press('3');
      await page.evaluate('new Promise((resolve) => setTimeout(resolve, 50))');
    }
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.evaluate('document.title')).toBe('mga-fixture: review');
    expect(noise).toEqual([]);
  });

  it.each(['light', 'dark'] as const)('has no serious accessibility fault in %s', async (colorScheme) => {
    const { url } = await serve(newRun(`axe-${colorScheme}`));
    const { page } = await open(url, { bypassCSP: true });
    await page.emulateMedia({ colorScheme });
    await page.keyboard.press('4');
    await sees(page, `1 of ${SAMPLE} rated`);
    await page.keyboard.press('ArrowLeft');
    expect(await seriousViolations(page)).toEqual([]);
    await page.screenshot({ path: join(SHOTS, `${colorScheme}-rated.png`) });
    await page.setViewportSize(NARROW);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(NARROW.width);
    await page.screenshot({ path: join(SHOTS, `${colorScheme}-narrow.png`), fullPage: true });
  });
});
