/** The build of the console: the same sources give the same bytes, which test/unit/console/build.test.ts compares. */
import { defineConfig } from 'vite';

export default defineConfig({
  base: '/console/',
  publicDir: false,
  build: {
    target: 'es2023',
    // Nothing is inlined: the policy of the page allows files alone, and a data: picture would be a second copy.
    assetsInlineLimit: 0,
    emptyOutDir: true,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
});
