import { defineConfig } from 'vitest/config';

/** The whole quickstart, with real weights: `npm run test:quickstart`, up to half an hour. */
export default defineConfig({
  test: { include: ['test/quickstart/*.test.ts'], testTimeout: 45 * 60_000, hookTimeout: 45 * 60_000, maxWorkers: 1 },
});
