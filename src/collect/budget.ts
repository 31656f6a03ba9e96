/** The cap on spend: what was spent, and the largest possible price of what is in flight, never exceed it together. */

import { UserError } from '../foundation/errors.ts';
import type { Recipe } from '../recipe/schema.ts';
import type { LedgerIndex } from '../store/ledger-index.ts';
import { priceOf } from '../teacher/price.ts';
import { providerSettings } from '../teacher/provider-settings.ts';

/** What was asked so far is all that `budget.usd` pays for. */
export class BudgetError extends UserError {}

export class Budget {
  readonly #cap: number;
  readonly #possiblyCharged: number;
  #spent: number;
  #reserved = 0;

  /**
   * The ledger tells what earlier processes spent; tries whose answer was never seen count with the most they can have cost.
   *
   * @throws UserError for a cap without a price, which nothing could keep to
   */
  constructor({ budget, teacher }: Pick<Recipe, 'budget' | 'teacher'>, index: LedgerIndex) {
    this.#cap = budget.usd ?? Number.POSITIVE_INFINITY;
    for (const { settings } of budget.usd === undefined ? [] : providerSettings(teacher)) {
      if (settings.kind === 'recorded' || priceOf(settings) !== undefined) continue;
      throw new UserError(
        `Cannot keep to budget.usd: no price is known for ${settings.model}`,
        'Give its price in the recipe (teacher.price, or that of a provider), or leave budget.usd out',
      );
    }
    this.#possiblyCharged = [...index.lost, ...index.open.values()].reduce(
      (sum, line) => sum + (line.usdAtMost ?? 0),
      0,
    );
    this.#spent = index.spend.reduce((sum, { usd }) => sum + usd, 0) + this.#possiblyCharged;
  }

  /** Holds `usd` back for a try; false, and nothing held, where the cap leaves no room for it. */
  reserve(usd: number): boolean {
    if (usd > 0 && this.#spent + this.#reserved + usd > this.#cap) return false;
    this.#reserved += usd;
    return true;
  }

  /** A try of an earlier process turns out to be still under way: held back, no longer taken for spent. */
  resume(usd: number): void {
    this.#spent -= usd;
    this.#reserved += usd;
  }

  /** The try that `reserved` was held back for cost `usd`. */
  settle(reserved: number, usd: number): void {
    this.#reserved -= reserved;
    this.#spent += usd;
  }

  /** The try may have been charged, and nobody will tell: the worst is taken for true. */
  keepReserved(reserved: number): void {
    this.settle(reserved, reserved);
  }

  error(): BudgetError {
    const lost =
      this.#possiblyCharged > 0
        ? `, $${this.#possiblyCharged.toFixed(4)} of it for requests that were possibly charged`
        : '';
    return new BudgetError(
      `Cannot ask further: the next request could exceed budget.usd (${this.#cap}), $${this.#spent.toFixed(4)} are spent${lost}`,
      'Raise budget.usd, then run the same command again: everything answered so far is kept and not asked again',
    );
  }
}
