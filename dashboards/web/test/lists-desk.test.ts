import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Dashboard } from '../src/inspectors/dashboard.svelte';
import { ListsDesk } from '../src/inspectors/lists/desk.svelte';

let asked: string[] = [];
let state = 'deciding';
let acts: { place: string }[] = [];
let desk: ListsDesk;

const places = () => asked.filter((path) => path.includes('/places')).length;
const BLACK = { household: '···0002', household_id: 'hh-0002', status: 'BLACK', proposed_by: null };

function answer(path: string): unknown {
  if (path.includes('/places')) return { items: path.includes('BLACK') ? [BLACK] : [], next: null };
  if (path.includes('/acts')) return { items: acts, next: null };
  return { id: 7, state, revision: 1, revises: null };
}

beforeEach(async () => {
  asked = [];
  state = 'deciding';
  acts = [{ place: '1.0' }];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    asked.push(path);
    // Whoever proposes a name is answered with its place, and the trail has one act more.
    if (init.method === 'POST') acts = [...acts, { place: `${acts.length + 1}.0` }];
    const body = init.method === 'POST' ? { ...BLACK, proposed_by: 'p1' } : answer(path);
    return Promise.resolve(new Response(JSON.stringify(body)));
  });
  desk = new ListsDesk({ now: 0, go: () => undefined } as unknown as Dashboard);
  await desk.show('7');
});
afterEach(() => vi.unstubAllGlobals());

/** Each of the four statuses is asked for by itself. */
test('a_look_asks_for_the_places_only_where_something_was_done', async () => {
  expect(places()).toBe(4);
  for (let nth = 0; nth < 3; nth += 1) await desk.look();
  expect(places()).toBe(4);
  expect(asked.at(-1)).toContain('/editions/7');
  acts = [...acts, { place: '2.0' }];
  await desk.look();
  expect(places()).toBe(8);
  state = 'published';
  await desk.look();
  await desk.look();
  expect(places()).toBe(12);
});

test('places_that_did_not_come_are_asked_for_again', async () => {
  const served = globalThis.fetch;
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('failed to fetch')));
  await desk.reload();
  vi.stubGlobal('fetch', served);
  await desk.look();
  await desk.look();
  expect(places()).toBe(8);
  expect(desk.places.error).toBeNull();
});

test('what_we_did_ourselves_is_shown_without_another_look_at_everybody', async () => {
  const propose = async () => {
    desk.acts.ask({
      id: 'black:hh-0002',
      title: ['none'],
      says: [],
      fields: [],
      go: 'none',
      path: ['editions', '7', 'propose-black'],
      body: () => ({}),
      done: ['none'],
    });
    await desk.acts.go();
  };
  await propose();
  expect(desk.places.data?.[0]?.proposed_by).toBe('p1');
  await desk.look();
  expect(places()).toBe(4);
  // What somebody else did at the same time is not shown by our answer.
  acts = [...acts, { place: '3.0' }];
  await propose();
  await desk.look();
  expect(places()).toBe(8);
});
