// How the page is built: one HTML entry per audience, hashed assets, nothing that differs between two builds.
import { fileURLToPath } from 'node:url';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig, type Plugin } from 'vite';
import { createMock } from './mock/server.mjs';

/** With HEMU_API the dev server passes /api on to a running hemu; without it the seeded mock answers. */
const upstream = process.env['HEMU_API'];

function mockApi(): Plugin {
  const answer = () => {
    const mock = createMock();
    return (
      req: Parameters<typeof mock.handle>[0],
      res: Parameters<typeof mock.handle>[1],
      next: () => void,
    ) => {
      if (!mock.handle(req, res)) next();
    };
  };
  return {
    name: 'hemu-mock-api',
    configureServer(server) {
      if (!upstream) server.middlewares.use(answer());
    },
    configurePreviewServer(server) {
      if (!upstream) server.middlewares.use(answer());
    },
  };
}

const proxy = upstream ? { '/api': { target: upstream, changeOrigin: true } } : {};

export default defineConfig({
  base: './',
  plugins: [svelte(), mockApi()],
  build: {
    target: ['chrome107', 'firefox104', 'safari16'],
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    // What is bundled into the pages keeps its authors' notices.
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 700,
    rolldownOptions: { input: { inspectors: fileURLToPath(new URL('./index.html', import.meta.url)) } },
  },
  server: { host: '127.0.0.1', proxy },
  preview: { host: '127.0.0.1', proxy },
});
