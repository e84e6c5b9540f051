// How the pages are built: one HTML entry per audience, hashed assets, nothing that differs between two builds.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type ProxyOptions } from 'vite';
import { offline } from './offline/plugin';

/** The hemu that the development server passes /api on to; `hemu demo` starts one with everything in it. */
const upstream = process.env['HEMU_API'] ?? 'http://127.0.0.1:8080';

/** The server takes what changes something from its own pages alone, so the page must seem to come from there. */
const api: ProxyOptions = {
  target: upstream,
  changeOrigin: true,
  configure: (proxy) =>
    proxy.on('proxyReq', (request) => {
      if (request.hasHeader('origin')) request.setHeader('origin', new URL(upstream).origin);
    }),
};

export default defineConfig({
  base: './',
  plugins: [svelte(), offline()],
  build: {
    target: ['chrome107', 'firefox104', 'safari16'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What is bundled into the pages keeps its authors' notices.
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 700,
    rolldownOptions: {
      input: {
        inspectors: fileURLToPath(new URL('./index.html', import.meta.url)),
        screen: fileURLToPath(new URL('./screen.html', import.meta.url)),
      },
    },
  },
  server: { host: '127.0.0.1', proxy: { '/api': api } },
  preview: { host: '127.0.0.1', proxy: { '/api': api } },
});
