/** Balance across genres and audiences: what some clusters of them hold beyond their share is dropped. */

import { randomStream } from '../foundation/random.ts';
import type { Recipe } from '../recipe/schema.ts';
import { kMeans } from '../statistics/k-means.ts';
import { type Decision, keptOf } from './decision.ts';
import { groupBy } from './group-by.ts';

/** One vector of length 1 a text. */
export type EmbedTexts = (texts: readonly string[]) => Promise<readonly ArrayLike<number>[]>;

export type BalanceSettings = NonNullable<Recipe['curate']['balance']>;

/** What is balanced, in this order; the second is asked about what the first one left. */
const FIELDS = ['genre', 'audience'] as const;
type Field = (typeof FIELDS)[number];

/** Of a description in a reason, for people. */
const SHOWN_CHARACTERS = 60;

/**
 * Among the training samples kept so far, those with a genre and an audience: descriptions are embedded and clustered
 * (k-means), and a cluster keeps at most `most` times its even share, samples / clusters. Of a larger one the best scored
 * stay, of equals those the seed draws. Dev samples stay as they are: dev losses are to be comparable.
 */
export async function dropBeyondBalance(
  decisions: readonly Decision[],
  { clusters, most }: BalanceSettings,
  seed: number,
  embed: EmbedTexts,
): Promise<void> {
  for (const field of FIELDS) {
    const kept = keptOf(decisions).filter(({ candidate: { split, row } }) => split === 'train' && row[field]);
    if (kept.length === 0) continue;
    const groups = await clusterBy(field, kept, clusters, seed, embed);
    const share = Math.max(1, Math.floor((most * kept.length) / groups.length));
    for (const { members, typical } of groups) {
      const drawn = randomStream(seed, 'balance', field, typical).shuffle(members);
      const ranked = drawn.sort((a, b) => (b.candidate.score ?? 0) - (a.candidate.score ?? 0));
      for (const decision of ranked.slice(share)) {
        decision.dropped = {
          rule: 'balance',
          reason: `its ${field} is one of ${members.length} like "${typical.slice(0, SHOWN_CHARACTERS)}"; ${share} of them are kept`,
        };
      }
    }
  }
}

/** The clusters, each with the description nearest its centre. */
async function clusterBy(
  field: Field,
  kept: readonly Decision[],
  clusters: number,
  seed: number,
  embed: EmbedTexts,
): Promise<{ members: Decision[]; typical: string }[]> {
  const texts = kept.map(({ candidate }) => candidate.row[field]!);
  const distinct = [...new Set(texts)];
  const vectors = await embed(distinct);
  const vectorOf = new Map(distinct.map((text, i) => [text, vectors[i]!]));
  const points = texts.map((text) => vectorOf.get(text)!);
  const { labels, centres } = kMeans(points, clusters, { random: randomStream(seed, 'balance', field) });
  const indices = groupBy(points.keys(), (i) => labels[i]!);
  return [...indices].map(([cluster, members]) => {
    const similarity = (i: number) => dot(points[i]!, centres[cluster]!);
    const nearest = members.reduce((best, i) => (similarity(i) > similarity(best) ? i : best));
    return { members: members.map((i) => kept[i]!), typical: texts[nearest]! };
  });
}

function dot(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let sum = 0;
  for (let d = 0; d < a.length; d++) sum += a[d]! * b[d]!;
  return sum;
}
