import { defineConfig } from 'vitest/config';

// The workbench in a real browser against the real program: npm run browser, after make build.
export default defineConfig({
  test: { include: ['browser/**/*.test.ts'], environment: 'node', testTimeout: 180_000, hookTimeout: 180_000, fileParallelism: false },
});
