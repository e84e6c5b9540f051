import { afterEach, expect, test, vi } from 'vitest';
import { getAll, pages } from '../src/lib/api';

/** A list of ten in pages of four; which addresses were asked for. */
function served(): string[] {
  const asked: string[] = [];
  vi.stubGlobal('fetch', (path: string) => {
    asked.push(path);
    const from = Number(new URL(path, 'http://hemu.example').searchParams.get('after') ?? 0);
    const items = Array.from({ length: Math.min(4, 10 - from) }, (_, i) => from + i);
    const next = from + 4 < 10 ? String(from + 4) : null;
    return Promise.resolve(new Response(JSON.stringify({ items, next })));
  });
  return asked;
}
afterEach(() => vi.unstubAllGlobals());

test('a_list_of_several_pages_is_read_whole_and_in_order', async () => {
  const asked = served();
  expect(await getAll<number>(['things'], { limit: 4 })).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(asked.map((path) => path.split('?')[1])).toEqual(['limit=4', 'limit=4&after=4', 'limit=4&after=8']);
});

test('nothing_is_asked_for_beyond_what_is_enough', async () => {
  const asked = served();
  expect(await getAll<number>(['things'], {}, undefined, 5)).toHaveLength(8);
  expect(asked).toHaveLength(2);
  for await (const page of pages<number>(['things'])) if (page.items.includes(0)) break;
  expect(asked).toHaveLength(3);
});
