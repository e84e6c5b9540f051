// Writes `sw.js`, which keeps the inspectors' page for when there is no network: fills in which files that takes, and a
// version that differs whenever one of them does.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin, Rollup } from 'vite';

/** The page that works offline, by the end of its module's name; what it imports comes with it. */
const OFFLINE = /inspect\/Inspect\.svelte$/;

export function offline(): Plugin {
  return {
    name: 'hemu-offline',
    generateBundle(_, bundle) {
      const files = needed(bundle);
      if (files.length === 0) return;
      const version = createHash('sha256');
      for (const name of [...files, 'index.html']) {
        const part = bundle[name];
        version.update(name).update(part?.type === 'chunk' ? part.code : (part?.source ?? ''));
      }
      const source = readFileSync(fileURLToPath(new URL('./sw.js', import.meta.url)), 'utf8')
        .replace("'__FILES__'", files.map((name) => `'./${name}'`).join(', '))
        .replace('__VERSION__', version.digest('hex').slice(0, 16));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

/** The entry, the page, and whatever either imports without being asked for it first. */
function needed(bundle: Rollup.OutputBundle): string[] {
  const chunks = Object.values(bundle).filter((part) => part.type === 'chunk');
  const begin = chunks.filter(
    (chunk) => (chunk.isEntry && chunk.name === 'inspectors') || OFFLINE.test(chunk.facadeModuleId ?? ''),
  );
  const found = new Set<string>();
  const take = (chunk: Rollup.OutputChunk): void => {
    if (found.has(chunk.fileName)) return;
    found.add(chunk.fileName);
    for (const css of chunk.viteMetadata?.importedCss ?? []) found.add(css);
    for (const asset of chunk.viteMetadata?.importedAssets ?? []) found.add(asset);
    for (const name of chunk.imports) {
      const part = bundle[name];
      if (part?.type === 'chunk') take(part);
    }
  };
  begin.forEach(take);
  return [...found].sort();
}
