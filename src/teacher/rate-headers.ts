/** What a server says in its headers of when to come back, and of how much it still takes. */

/** One limit of the server: what is left of it, and when it is whole again. */
export interface RateLimit {
  unit: 'requests' | 'tokens';
  left: number;
  /** Milliseconds. */
  resetMs: number;
}

/** The longest that a server's wish is followed: some ask for a day, and may take the next request long before. */
export const LONGEST_SERVER_WAIT_MS = 600_000;

/** Where a server names what is left but not when it is reset: a minute is the window of most limits. */
const USUAL_WINDOW_MS = 60_000;

/** Numbers above this are points in time (seconds since 1970), not waits. */
const POINT_IN_TIME = 1e9;

/** The same above which they are milliseconds since 1970. */
const POINT_IN_MILLISECONDS = 1e11;

const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** Headers that name what is left: OpenAI, Groq, Together and Azure by unit, others requests alone. */
const REMAINING = {
  requests: ['x-ratelimit-remaining-requests', 'x-ratelimit-remaining', 'ratelimit-remaining'],
  tokens: ['x-ratelimit-remaining-tokens'],
} as const;

/** Milliseconds of `retry-after-ms` or `retry-after` (seconds or a date, RFC 9110 section 10.2.3), at most ten minutes. */
export function retryAfter(headers: Headers | undefined, now: () => number = Date.now): number | undefined {
  const milliseconds = Number.parseFloat(headers?.get('retry-after-ms') ?? '');
  if (milliseconds >= 0) return capped(milliseconds);
  const text = headers?.get('retry-after');
  if (!text) return undefined;
  const wait = /^\s*[\d.]+\s*$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now();
  return Number.isFinite(wait) ? capped(wait) : undefined;
}

/** The limits that a response's headers tell of; none where the server says nothing. */
export function rateLimits(headers: Headers | undefined, now: () => number = Date.now): RateLimit[] {
  if (headers === undefined) return [];
  return (['requests', 'tokens'] as const).flatMap((unit) => {
    const name = REMAINING[unit].find((candidate) => headers.has(candidate));
    const left = Number.parseFloat(headers.get(name ?? '-') ?? '');
    if (name === undefined || !(left >= 0)) return [];
    const resetMs = readReset(headers.get(name.replace('remaining', 'reset')), now) ?? USUAL_WINDOW_MS;
    return [{ unit, left, resetMs }];
  });
}

/** `6m0s`, `20ms`, seconds, a point in time in seconds or milliseconds, or a date. */
function readReset(text: string | null, now: () => number): number | undefined {
  if (!text) return undefined;
  if (/^\s*[\d.]+\s*$/.test(text)) {
    const number = Number(text);
    if (number > POINT_IN_MILLISECONDS) return capped(number - now());
    return capped(number > POINT_IN_TIME ? number * 1000 - now() : number * 1000);
  }
  if (/^(?:[\d.]+(?:ms|[smhd]))+$/.test(text.trim())) {
    const parts = [...text.matchAll(/([\d.]+)(ms|[smhd])/g)];
    return capped(
      parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS], 0),
    );
  }
  const wait = Date.parse(text) - now();
  return Number.isFinite(wait) ? capped(wait) : undefined;
}

function capped(ms: number): number {
  return Math.min(LONGEST_SERVER_WAIT_MS, Math.max(0, ms));
}
