// A zone that is not the site's, west of Greenwich and with summer time: whoever formats in the
// browser's zone by mistake fails here.
process.env['TZ'] = 'America/New_York';

import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  plugins: [svelte()],
  test: { include: ['test/**/*.test.ts'], environment: 'node' },
});
