/** report.html in a real browser: silent, filterable, accessible, printable. Screenshots go to .cache/report. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { writeReport } from '../../src/report/report.ts';
import { type FixtureOptions, makeRun } from '../golden/report/make-run.ts';
import { type Browser, openBrowser, type Page, seriousViolations } from './report-browser.ts';

const SHOTS = new URL('../../.cache/report/', import.meta.url).pathname;
const WIDE = { width: 1360, height: 900 };
const NARROW = { width: 400, height: 850 };
const HOSTILE = '</script><script>document.title="broken"</script><img src=x onerror=alert(1)><!-- \u2028 & "\'';

const root = mkdtempSync(join(tmpdir(), 'mga-report-'));
let browser: Browser;

beforeAll(async () => {
  mkdirSync(SHOTS, { recursive: true });
  browser = await openBrowser();
});

afterAll(async () => {
  await browser.close();
  rmSync(root, { recursive: true });
});

/** Writes the report of a fixture run and opens it; `noise` holds console errors, page errors, dialogs and requests. */
async function openReport(name: string, options: FixtureOptions = {}, settings: { bypassCSP?: boolean } = {}) {
  const { recipe, folder } = makeRun(join(root, name), options);
  await writeReport(recipe, folder, { emit: () => {}, signal: new AbortController().signal });
  const page = await browser.newPage({ viewport: WIDE, ...settings });
  const url = pathToFileURL(folder.report).href;
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

describe('report.html', () => {
  it('opens without a console message and without a request', async () => {
    const { page, noise } = await openReport('silent');
    expect(await page.locator('h1').textContent()).toBe('The student falls short of its teacher');
    expect(await count(page)).toBe(66);
    expect(noise).toEqual([]);
  });

  it('shows hostile texts as texts', async () => {
    const { page, noise } = await openReport('hostile', { hostile: HOSTILE });
    expect(await page.locator('.sample h3').first().textContent()).toBe(HOSTILE);
    expect(await page.locator('img').count()).toBe(0);
    expect(await page.evaluate('document.title')).toBe('mga-fixture: distillation report');
    expect(noise).toEqual([]);
  });

  it('filters by model and score, usable, document and stage', async () => {
    const { page } = await openReport('filters');
    await page.locator('select[name=arm]').selectOption('student-w8a8');
    await page.locator('select[name=score]').selectOption('3');
    expect(await count(page)).toBe(11);
    const outputs = page.locator('.arm-student-w8a8 .facts b');
    expect(new Set(await outputs.allTextContents())).toEqual(new Set(['Score 3']));

    await page.locator('select[name=usable]').selectOption('yes');
    const usable = await count(page);
    expect(usable).toBe(7);
    await page.locator('button[type=reset]').click();
    await page.locator('#pager').waitFor();
    expect(await count(page)).toBe(66);

    await page.locator('select[name=document]').selectOption('alder-02');
    await page.locator('select[name=stage]').selectOption('reformulate');
    expect(await count(page)).toBe(2);
  });

  it('turns pages, also of a thousand samples', async () => {
    const { page } = await openReport('thousand', { items: 1000 });
    expect(await count(page)).toBe(1000);
    await page.locator('#next').click();
    expect(await page.locator('#page-number').textContent()).toBe('Page 2 of 125');
    const started = performance.now();
    await page.locator('select[name=score]').selectOption('none');
    expect(await page.locator('#page-number').textContent()).toMatch(/^Page 1 of/);
    expect(performance.now() - started).toBeLessThan(1500);
  });

  it('marks the words that differ from the source, and only marks them', async () => {
    const { page } = await openReport('diff');
    const body = '.sample .arm-teacher .body';
    const plain = await page.locator(body).first().textContent();
    await page.locator('select[name=compare]').selectOption('source');
    expect(await page.locator(`${body} ins`).count()).toBeGreaterThan(20);
    const kept = `[...document.querySelector('${body}').childNodes].filter((n) => n.nodeName !== 'DEL').map((n) => n.textContent).join('')`;
    expect((await page.evaluate<string>(kept)).split(/\s+/)).toEqual(plain!.split(/\s+/));
    await page.screenshot({ path: join(SHOTS, 'diff.png') });
  });

  it('is used with the keyboard', async () => {
    const { page } = await openReport('keyboard');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the report');
    for (let i = 0; i < 7; i++) await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.id')).toBe('theme');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    expect(await page.evaluate('document.documentElement.dataset.theme')).toBe('dark');
  });

  it('jumps to a section below the bar', async () => {
    const { page } = await openReport('jump');
    await page.locator('nav a[href="#training"]').click();
    const top = 'document.querySelector("#training").getBoundingClientRect().top';
    await expect.poll(() => page.evaluate<number>(top), { timeout: 5000 }).toBeCloseTo(64, -1);
  });

  it.each(['light', 'dark'] as const)('has no serious accessibility fault in %s', async (colorScheme) => {
    const { page } = await openReport(`axe-${colorScheme}`, {}, { bypassCSP: true });
    await page.emulateMedia({ colorScheme });
    await page.locator('select[name=compare]').selectOption('source');
    await page.evaluate('document.querySelectorAll("details").forEach((part) => { part.open = true; })');
    expect(await seriousViolations(page)).toEqual([]);
  });

  it('fits a phone, and prints without its controls', async () => {
    const { page } = await openReport('sizes');
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: join(SHOTS, `${colorScheme}.png`), fullPage: true });
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize(NARROW);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(NARROW.width);
    await page.screenshot({ path: join(SHOTS, 'narrow.png'), fullPage: true });
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('#filters').isVisible()).toBe(false);
    await page.pdf({ path: join(SHOTS, 'print.pdf'), preferCSSPageSize: true });
  });
});
