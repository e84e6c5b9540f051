// How the residents' page is built: one classic script for browsers as old as those within WeChat, beside what the other
// build wrote. Everything it needs is in three files: a page, a script, a sheet.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';

/** A module script is none in an old browser; a classic one that is deferred runs as late as a module would. */
function classicScript(): Plugin {
  return {
    name: 'hemu-classic-script',
    enforce: 'post',
    transformIndexHtml: {
      order: 'post',
      handler: (html) =>
        html
          .replace(/<script type="module" crossorigin /g, '<script defer ')
          .replace(/<link rel="stylesheet" crossorigin /g, '<link rel="stylesheet" '),
    },
  };
}

export default defineConfig({
  base: './',
  plugins: [svelte(), classicScript()],
  build: {
    target: 'es2019',
    cssTarget: ['chrome78', 'safari13'],
    // One file for all of the page; split ones would be put in by the script, as inline styles.
    cssCodeSplit: false,
    emptyOutDir: false,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    license: { fileName: 'licenses-home.md' },
    rolldownOptions: {
      input: { home: fileURLToPath(new URL('./home.html', import.meta.url)) },
      output: {
        format: 'iife',
        assetFileNames: ({ names: [name = ''] }) =>
          name.endsWith('.css') ? 'assets/home-[hash][extname]' : 'assets/[name]-[hash][extname]',
      },
    },
  },
});
