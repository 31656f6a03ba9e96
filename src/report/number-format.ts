/** Numbers as people read them: shares as percent, differences as points, counts with separators. */

import type { Interval } from './run-data.ts';

/** What stands where a number is not known. */
export const ABSENT = '–';

/** A share 0..1 as percent with one decimal: `95.7%`. */
export function percent(share: number | undefined): string {
  return share === undefined ? ABSENT : `${(share * 100).toFixed(1)}%`;
}

/** A difference of shares as signed points: `−1.05` (two decimals, as in the paper's table). */
export function points(difference: number | undefined, decimals = 2): string {
  if (difference === undefined) return ABSENT;
  const text = Math.abs(difference * 100).toFixed(decimals);
  return Number(text) === 0 ? text : `${difference < 0 ? '−' : '+'}${text}`;
}

/** An interval of shares in percent: `90.1 to 98.2`. */
export function percentInterval(interval: Interval | undefined): string | undefined {
  return interval === undefined ? undefined : interval.map((share) => (share * 100).toFixed(1)).join(' to ');
}

/** An interval of differences in signed points: `−3.1 to +0.8`. */
export function pointsInterval(interval: Interval | undefined): string | undefined {
  return interval === undefined ? undefined : interval.map((bound) => points(bound, 1)).join(' to ');
}

/** A count with thousands separators; other numbers with at most four significant decimals. */
export function quantity(value: number | undefined): string {
  if (value === undefined) return ABSENT;
  return value.toLocaleString('en', { maximumFractionDigits: Math.abs(value) < 10 ? 3 : 1 });
}

/** Seconds as `0.04 s`, `41 s`, `12 min 5 s` or `3 h 20 min`. */
export function duration(seconds: number | undefined): string {
  if (seconds === undefined) return ABSENT;
  if (seconds > 0 && seconds < 0.1) return `${Number(seconds.toPrecision(1))} s`;
  if (seconds < 60) return `${seconds < 10 ? seconds.toFixed(1) : Math.round(seconds)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** US dollars; cents are shown to the tenth below one dollar, since small runs cost little. */
export function dollars(usd: number | undefined): string {
  if (usd === undefined) return ABSENT;
  return `$${usd.toLocaleString('en', { minimumFractionDigits: 2, maximumFractionDigits: usd < 1 ? 3 : 2 })}`;
}
