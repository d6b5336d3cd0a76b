import { defineConfig } from 'vitest/config';

// The server in front of `npm run dev` is `earwitness serve --dev`, which passes what is not /api/ on to here.
export default defineConfig({
  build: {
    target: ['chrome123', 'firefox125', 'safari17.5'],
    assetsInlineLimit: 0, // the content policy allows no data: fonts
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  test: { environment: 'happy-dom', include: ['src/**/*.test.{ts,tsx}'] },
});
