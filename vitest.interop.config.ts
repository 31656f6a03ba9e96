import { defineConfig } from 'vitest/config';

/** Comparisons with other programs (Python, llama.cpp, a browser): `npm run test:interop`, after installing them. */
export default defineConfig({
  test: { include: ['test/interop/*.test.ts'], testTimeout: 20 * 60_000, hookTimeout: 20 * 60_000, maxWorkers: 1 },
});
