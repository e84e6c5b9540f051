// Whoever looks at a household is named to it, with what was looked at: in words, in both languages, wherever it is read.
import { readdir, readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import * as inspectors from '../src/lib/i18n';
import { en } from '../src/residents/i18n/en';
import { zh } from '../src/residents/i18n/zh';

const services = new URL('../../../services/', import.meta.url);

/** A household's pages are looks by the last word of their address (services/api/src/extract.rs). */
async function pages(): Promise<string[]> {
  const { paths } = JSON.parse(await readFile(new URL('api/openapi.json', services), 'utf8')) as {
    paths: Record<string, object>;
  };
  const own = /^\/api\/v1\/households\/\{id\}(?:\/([a-z-]+))?$/;
  return Object.entries(paths).flatMap(([path, methods]) => {
    const found = own.exec(path);
    return found && 'get' in methods ? [found[1] ?? 'household'] : [];
  });
}

/** What names households elsewhere, and whoever works at the server, note looks by a word of their own. */
async function noted(): Promise<string[]> {
  const found: string[] = [];
  for (const room of ['api/src/', 'hemu/src/']) {
    const files = await readdir(new URL(room, services), { recursive: true });
    for (const file of files.filter((name) => name.endsWith('.rs'))) {
      const text = await readFile(new URL(room + file, services), 'utf8');
      for (const [call, kind] of text.matchAll(/\.note_looks?\([^";]*(?:"([a-z_]+)")?/g))
        found.push(kind ?? (call.includes('page') ? 'page' : `unknown in ${file}`));
    }
  }
  return found.sort();
}

test('every_place_that_notes_a_look_is_known_here', async () => {
  const known = ['export', 'letter', 'list', 'list_export', 'objection', 'page', 'people'];
  expect(await noted()).toEqual(known);
});

test('every_kind_of_look_has_words', async () => {
  const kinds = [...(await pages()), ...(await noted()).filter((kind) => kind !== 'page')];
  expect(kinds).toEqual(expect.arrayContaining(['household', 'days', 'building', 'audit', 'bank', 'list']));
  const lacks = kinds.flatMap((kind) => [
    ...[zh, en].flatMap((words) => (`look.${kind}` in words ? [] : [`look.${kind}`])),
    ...[inspectors.zh, inspectors.en].flatMap((words) =>
      `house.saw.${kind}` in words ? [] : [`house.saw.${kind}`],
    ),
  ]);
  expect(lacks).toEqual([]);
});
