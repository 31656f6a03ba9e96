import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'test/*.test.{ts,tsx}'],
    testTimeout: 120_000,
    // Some hooks train a tiny student: as slow on a busy machine as a test.
    hookTimeout: 120_000,
    // onnxruntime sessions each own a thread pool; two workers match the two cores the suite is meant for.
    maxWorkers: 2,
    pool: 'forks',
    // .ci/run prints its closing line from the JSON result.
    reporters: ['default', ['json', { outputFile: '.cache/vitest.json' }]],
  },
});
