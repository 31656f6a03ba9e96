/** The servers behind a teacher: those that the recipe's `providers` list, else the one that its section names. */

import type { Recipe } from '../recipe/schema.ts';

/** One server. */
export interface ProviderSettings {
  /** Absent where the teacher has one server only, which needs no name. */
  name?: string;
  /** Requests in flight; default: `collect.concurrency`. */
  concurrency?: number;
  /** As a teacher of its own, without `providers`. */
  settings: Recipe['teacher'];
}

/** Each server with its own settings; what its entry leaves out is taken from the teacher. */
export function providerSettings(teacher: Recipe['teacher']): ProviderSettings[] {
  if (teacher.kind === 'recorded' || teacher.providers === undefined) return [{ settings: teacher }];
  const { providers, price, ...shared } = teacher;
  return providers.map(({ name, concurrency, ...own }) => {
    const set = Object.fromEntries(Object.entries(own).filter(([, value]) => value !== undefined));
    // Another model's price would be taken for this one's.
    const sharedPrice = own.model === undefined || own.model === teacher.model ? price : undefined;
    return {
      name,
      ...(concurrency === undefined ? {} : { concurrency }),
      settings: { ...shared, ...(sharedPrice ? { price: sharedPrice } : {}), ...set },
    };
  });
}
