import { inflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ReportData, Sample } from './run-data.ts';
import { packSamples, type SamplePayload } from './sample-payload.ts';

function dataOf(count: number): ReportData {
  const samples: Sample[] = Array.from({ length: count }, (_, i) => ({
    stage: 'reformulate',
    docId: `d${i % 10}`,
    item: `d${i % 10}/${i}`,
    outputs: { student: { text: `</script> ${i} ${Math.sin(i)}`, score: 3 } },
  }));
  const sources = Array.from({ length: 12 }, (_, i) => ({ id: `d${i}`, title: `D${i}`, text: 'source' }));
  return { arms: ['teacher', 'student'], samples, sources } as Partial<ReportData> as ReportData;
}

const unpack = (base64: string) =>
  JSON.parse(inflateRawSync(Buffer.from(base64, 'base64')).toString()) as SamplePayload;

describe('packSamples()', () => {
  it('packs every sample with its outputs in the order of the arms, and only the documents in use', () => {
    const { base64, shown } = packSamples(dataOf(20));
    const payload = unpack(base64);
    expect(shown).toBe(20);
    expect(payload.samples[7]).toMatchObject({ item: 'd7/7', outputs: [null, { score: 3 }] });
    expect(payload.documents.map(({ id }) => id)).not.toContain('d11');
    expect(base64).toMatch(/^[A-Za-z0-9+/=]*$/);
  });

  it('thins evenly to a budget and says how many are left', () => {
    const { base64, shown } = packSamples(dataOf(400), 4000);
    expect(base64.length).toBeLessThanOrEqual(4000);
    expect(shown).toBeGreaterThan(40);
    const { samples } = unpack(base64);
    expect(samples).toHaveLength(shown);
    expect(Number(samples.at(-1)!.item.split('/')[1])).toBeGreaterThan(380);
  });
});
