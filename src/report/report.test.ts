import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseHTML } from 'linkedom';
import { afterAll, describe, expect, it } from 'vitest';
import { type FixtureOptions, makeRun } from '../../test/golden/report/make-run.ts';
import { InterruptedError } from '../foundation/errors.ts';
import type { RunEvent } from '../foundation/events.ts';
import { runFolder } from '../foundation/run-folder.ts';
import { writeReport } from './report.ts';

const root = mkdtempSync(join(tmpdir(), 'mga-report-'));
afterAll(() => rmSync(root, { recursive: true }));

const context = (events: RunEvent[] = [], signal = new AbortController().signal) => ({
  emit: (event: RunEvent) => events.push(event),
  signal,
});

async function report(
  name: string,
  options: FixtureOptions = {},
  spoil: (run: ReturnType<typeof makeRun>) => void = () => {},
) {
  const run = makeRun(join(root, name), options);
  spoil(run);
  await writeReport(run.recipe, run.folder, context());
  const text = readFileSync(run.folder.report, 'utf8');
  const { document } = parseHTML(text);
  const read = (selector: string) =>
    [...document.querySelectorAll(selector)].map((part) => part.textContent.replace(/\s+/g, ' ').trim());
  return { text, document, read, folder: run.folder };
}

describe('writeReport()', () => {
  it('puts the verdict first, then tables, histograms, samples, curves, funnel and cost', async () => {
    const { document, read } = await report('whole');
    expect(document.querySelector('main > section')?.id).toBe('verdict');
    expect(read('h1')).toEqual(['The student falls short of its teacher']);
    expect([...document.querySelectorAll('main > section')].map(({ id }) => id)).toEqual(
      'verdict table scores samples training funnel cost'.split(' '),
    );
    expect(read('#table .panel:first-of-type > p.small')[0]).toContain(
      'κ 0.62 (95% interval 0.51 to 0.71), substantial',
    );
    const rows = read('#table .panel:first-of-type > .scroll tbody tr');
    expect(rows).toHaveLength(8);
    expect(rows[3]).toMatch(/^Student, W8A8.*17\.7%7\.7 to 27\.7−82\.26.*fail$/);
    expect(rows[7]).toMatch(/^Student, W8A8.*46\.8%11\.3%4\.3 to 18\.3/);
    expect(document.querySelectorAll('#scores svg').length).toBe(4);
    expect(read('#training figcaption')[1]).toBe('320 steps; dev loss fell from 3.650 to 2.700.');
    expect(document.querySelector('#funnel svg')?.getAttribute('aria-label')).toContain('229 kept');
    expect(read('#cost tbody tr:first-child')[0]).toBe('Genre-audience pairsrecorded230 147,20094,3000.9 s$0.483');
    expect(read('.notes')).toEqual([]);
  });

  it('shows Table 2 where the run has it', async () => {
    const share = (rate: number) => ({ rate, ci: [rate - 0.05, rate + 0.05] });
    const table2 = { at_most_2: share(0.0665), at_least_4: share(0.7106), exactly_5: share(0.2467) };
    const { read } = await report('table2', {}, ({ folder }) => {
      const tables = JSON.parse(readFileSync(folder.table1, 'utf8')) as { rows: object[] }[];
      Object.assign(tables[0]!.rows[2]!, { table2 });
      writeFileSync(folder.table1, JSON.stringify(tables));
    });
    const rows = read('#table [aria-label="Table 2, Reformulation"] tbody tr');
    expect(rows[2]).toMatch(/^Student.*6\.7%1\.7 to 11\.771\.1%66\.1 to 76\.124\.7%19\.7 to 29\.7$/);
    expect(rows[0]).toMatch(/–––$/);
  });

  it('draws the collapse analysis that lies in the folder', async () => {
    const mean = (value: number) => ({ mean: value, ci: [value - 0.1, value + 0.1] });
    const series = [0, 1, 2, 3].map((i) => ({
      from: i / 4,
      to: (i + 1) / 4,
      lossdiff: mean(i / 10),
      real: 3,
      synthetic: 3,
    }));
    const first = { texts: 3, share: 0.75, share_ci: [0.3, 0.95], median: 0.25, histogram: [2, 0, 1, 0], none: 1 };
    const { read, document } = await report('collapse', {}, ({ folder }) =>
      writeFileSync(
        join(folder.root, 'collapse.json'),
        JSON.stringify({
          real: 'before',
          synthetic: 'after',
          texts: 4,
          tokens: 400,
          k: 2,
          window: { share: 0.05, direction: 'trailing' },
          loss: { real: mean(3), synthetic: { mean: 3.15, ci: null } },
          lossdiff: { ...mean(0.15), std: 0.5, above_zero: 0.075 },
          first_anomaly_position: first,
          series,
        }),
      ),
    );
    expect(read('#collapse p.soft')[0]).toContain('the loss of after minus that of before');
    expect(read('#collapse figcaption')).toEqual([
      '3 of 4 texts have one (75.0%, 95% interval 30.0 to 95.0); median position 25.0%.',
      'Band: 95% interval over texts. Over all tokens: standard deviation 0.500, 7.5% above zero.',
    ]);
    expect(read('#collapse tbody tr')[1]).toBe('Synthetic-trained, or afterafter3.150');
    const labels = [...document.querySelectorAll('#collapse svg')].map((svg) => svg.getAttribute('aria-label'));
    expect(labels[0]).toContain('2, 0, 1, 0 in equal parts');
    expect(document.querySelectorAll('#collapse svg rect').length).toBeGreaterThanOrEqual(4);
  });

  it('draws the learning curve of the run', async () => {
    const point = (samples: number, usable: number) => ({
      stage: 'reformulate',
      samples,
      rate: usable + 0.1,
      rate_ci: [usable, usable + 0.2],
      usable,
      usable_ci: [usable - 0.1, usable + 0.1],
      dev_loss: 3 - usable,
    });
    const curve = {
      points: [point(50, 0.3), point(100, 0.45), point(874, 0.5)],
      references: [{ stage: 'reformulate', arm: 'base', rate: 0.4, usable: 0.2 }],
    };
    const { read, document } = await report('learning-curve', {}, ({ folder }) => {
      mkdirSync(join(folder.root, 'learning-curve'));
      writeFileSync(join(folder.root, 'learning-curve', 'curve.json'), JSON.stringify(curve));
    });
    expect(document.querySelector('#learning-curve svg')?.getAttribute('aria-label')).toBe(
      'Usable rate and rate by training samples: 50: 30.0% and 40.0%; 100: 45.0% and 55.0%; 874: 50.0% and 60.0%',
    );
    expect(read('#learning-curve tbody tr')[1]).toBe('10055.0%45.0 to 65.045.0%35.0 to 55.02.550');
    expect(document.querySelectorAll('#learning-curve svg circle')).toHaveLength(6);
    expect(read('#learning-curve svg text')).toEqual(expect.arrayContaining(['50', '100', '874']));
  });

  it('allows nothing but its own script and style, by hash', async () => {
    const { text, document } = await report('policy');
    const policy = document.querySelector('meta[http-equiv=Content-Security-Policy]')?.getAttribute('content');
    const hashOf = (tag: string) => {
      const content = text.slice(text.lastIndexOf(`<${tag}>`) + tag.length + 2, text.lastIndexOf(`</${tag}>`));
      return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
    };
    expect(policy).toContain(`default-src 'none'; script-src ${hashOf('script')}; style-src ${hashOf('style')};`);
    expect(document.querySelectorAll('[style], svg style, [onclick], link[rel=stylesheet], [src]').length).toBe(0);
    expect(text.replaceAll('http://www.w3.org/', '')).not.toMatch(/https?:\/\//);
  });

  it('shows texts of the run as texts', async () => {
    const hostile = '</script><script>alert(1)</script></textarea><img src=x onerror=alert(1)>"\'&<!--';
    const { text, read, document } = await report('hostile', { hostile });
    expect(text).not.toContain('<img');
    expect(text.split('</script>')).toHaveLength(3);
    expect(read('select[name=document] option')[1]).toBe(`alder-01: ${hostile}`);
    expect(document.querySelectorAll('#cost').length).toBe(1);
  });

  it('stays under 5 MB with a thousand samples', async () => {
    const { folder, read } = await report('thousand', { items: 1000 });
    expect(statSync(folder.report).size).toBeLessThan(5e6);
    expect(read('.notes')[0]).toContain('1000 of 1004 samples are shown');
  });

  it('draws where the texts lie, twice, and leaves out points it cannot read', async () => {
    const point = (kind: string, i: number) => ({ kind, item: `${i}`, doc_id: 'd', tsne: [i, -i], umap: [i / 2, 1] });
    const embeddings = {
      model: 'all-minilm-l6-v2',
      documents: 3,
      documents_in_all: 9,
      kinds: ['source', 'strict'].map((kind) => ({
        kind,
        texts: 4,
        measures: { spread: { mean: 0.25, ci: [0.2, 0.3], outputs: 4 } },
      })),
      points: [...[1, 2, 3, 4].flatMap((i) => [point('source', i), point('strict', i)]), { kind: 'strict', tsne: [1] }],
    };
    const { document, read } = await report('embeddings', {}, ({ folder }) =>
      writeFileSync(join(folder.validation, 'embeddings.json'), JSON.stringify(embeddings)),
    );
    const labels = [...document.querySelectorAll('#embeddings svg')].map((svg) => svg.getAttribute('aria-label'));
    expect(labels).toEqual(
      ['t-SNE', 'UMAP'].map((name) => `${name} of the embeddings of 4 of Source, 4 of Strict variant`),
    );
    expect([...document.querySelectorAll('#embeddings svg')].map((svg) => svg.querySelectorAll('path').length)).toEqual(
      [8, 8],
    );
    expect(read('#embeddings tbody tr')).toEqual([
      'Source4–0.2500.200 to 0.300',
      'Strict variant4–0.2500.200 to 0.300',
    ]);
    expect(read('#embeddings > p')[0]).toContain('Drawn: 3 of 9 documents.');
  });

  it('draws accuracy by coverage of label stages, a field each, with its thresholds', async () => {
    const point = (threshold: number, answered: number, accuracy: number) => ({
      threshold,
      answered,
      accuracy,
      accuracy_ci: [0.4, 1],
    });
    const rows = [
      {
        arm: 'student-w8a8',
        model: 'q',
        total: 8,
        rate: 0.5,
        abstention: { topic: [point(0, 1, 0.5), point(0.9, 0.25, 1)] },
      },
      { arm: 'teacher', model: 't', total: 8, rate: 1 },
      {
        arm: 'student',
        model: 's',
        total: 8,
        rate: 0.5,
        abstention: { topic: [point(0, 1, 0.625), { threshold: 0.5 }] },
      },
    ];
    const table = { stage: 'page', judge: { kind: 'labels' }, reference: 'teacher', margin: 3, rows };
    const { document, read } = await report('abstention', {}, ({ folder }) =>
      writeFileSync(folder.table1, JSON.stringify([table])),
    );
    expect(document.querySelector('#table svg')?.getAttribute('aria-label')).toBe(
      'Accuracy of topic by share of answers given: Student 62.5% of all answers; Student, W8A8 50.0% of all answers',
    );
    expect(read('#table details tbody tr')).toEqual([
      'all100.0%, 62.5%40.0 to 100.0100.0%, 50.0%40.0 to 100.0',
      '0.9–25.0%, 100.0%40.0 to 100.0',
    ]);
  });

  it('says what a run lacks that has only just begun', async () => {
    const { recipe } = makeRun(join(root, 'begun-recipe'));
    const folder = runFolder(join(root, 'begun'));
    await writeReport(recipe, folder, context());
    const { document } = parseHTML(readFileSync(folder.report, 'utf8'));
    expect(document.querySelector('h1')?.textContent).toBe('Not validated yet');
    const notes = [...document.querySelectorAll('.notes li')].map((item) => item.textContent).join('\n');
    for (const part of [
      'no Table 1',
      'Student pairs has not been trained',
      'not been curated',
      'no generations',
      'no ledger',
    ])
      expect(notes).toContain(part);
  });

  it('reports what is left of damaged files, and says which they are', async () => {
    const { read, text } = await report('damaged', {}, ({ folder, recipe }) => {
      writeFileSync(folder.table1, '[{');
      appendFileSync(join(folder.validation, 'scores.jsonl'), '{"arm":"teach');
      appendFileSync(join(folder.ledger, '000001.jsonl'), '{"type":"resp');
      rmSync(recipe.corpus.path);
      rmSync(join(folder.student('writer'), 'manifest.json'));
    });
    const notes = read('.notes')[0]!;
    expect(notes).toContain('table1.json cannot be read');
    expect(notes).toContain('scores.jsonl: 1 damaged line was left out.');
    expect(notes).toContain('Samples are shown without their source');
    expect(notes).toContain('The training of student writer is not complete.');
    expect(text).toContain('$0.483');
  });

  it('tells when it starts and ends, and writes nothing once stopped', async () => {
    const { recipe, folder } = makeRun(join(root, 'stopped'));
    const stopped = AbortSignal.abort();
    await expect(writeReport(recipe, folder, context([], stopped))).rejects.toThrow(InterruptedError);
    expect(existsSync(folder.report)).toBe(false);
    const events: RunEvent[] = [];
    await writeReport(recipe, folder, context(events));
    expect(events.map(({ type }) => type)).toEqual(['command-start', 'command-end']);
  });
});
