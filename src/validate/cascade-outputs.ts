/** What a cascade of judges asked the LLM, what that cost, and what it saved. */

import type { ScoredItem } from './scored-item.ts';

/** Names as in table1.json. */
export interface CascadeOutputs {
  /** Outputs the cascade judged, and those of them the LLM was asked about. */
  texts: number;
  asked: number;
  share: number;
  /** US dollars for what was asked, over the life of the run; null where no price is known. */
  usd: number | null;
  /** What all others would have cost, at the mean price of those asked; null where that is not known. */
  usd_saved: number | null;
  /** Arms are not asked about alike: an arm with fewer sure texts is judged by the LLM more often. */
  arms: { arm: string; model: string; texts: number; asked: number; share: number }[];
}

/** Undefined where no cascade judged. */
export function cascadeOutputs(items: readonly ScoredItem[]): CascadeOutputs | undefined {
  const judged = items.filter(({ asked }) => asked !== undefined);
  if (judged.length === 0) return undefined;
  const paid = judged.flatMap(({ usd }) => usd ?? []);
  const usd = paid.length === 0 ? null : paid.reduce((sum, one) => sum + one, 0);
  const all = counted(judged);
  const names = new Map(judged.map(({ arm, model }) => [`${arm}\u0000${model}`, { arm, model }]));
  return {
    ...all,
    usd,
    usd_saved: usd === null ? null : (usd / paid.length) * (all.texts - all.asked),
    arms: [...names.values()].map(({ arm, model }) => ({
      arm,
      model,
      ...counted(judged.filter((item) => item.arm === arm && item.model === model)),
    })),
  };
}

function counted(items: readonly ScoredItem[]) {
  const asked = items.filter((item) => item.asked).length;
  return { texts: items.length, asked, share: asked / items.length };
}
