import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Dashboard } from '../src/inspectors/dashboard.svelte';
import { EstateDesk } from '../src/inspectors/estate/desk.svelte';

/** Answers that wait until a test lets them go, by what was asked. */
let waiting: { path: string; give: (body: unknown) => void }[] = [];
let desk: EstateDesk;

beforeEach(() => {
  waiting = [];
  desk = new EstateDesk();
  vi.stubGlobal(
    'fetch',
    (path: string) =>
      new Promise<Response>((resolve) => {
        waiting.push({ path, give: (body) => resolve(new Response(JSON.stringify(body))) });
      }),
  );
});
afterEach(() => vi.unstubAllGlobals());

/** Answers whatever is asked of an estate until nothing is asked any more. */
async function serve(loading: Promise<void>): Promise<void> {
  let over = false;
  void loading.then(() => (over = true));
  while (!over) {
    for (const { path, give } of waiting.splice(0)) {
      const estate = /estates\/([^/]+)\//.exec(path)?.[1];
      give(estate ? { day: estate, items: [] } : { items: [{ id: 3, day: '2026-05-20', public: true }] });
    }
    await new Promise((resolve) => setTimeout(resolve));
  }
}
const shown = () => [desk.now.building, desk.now.unit, desk.before.building].map(({ data }) => data?.day);

test('nothing_of_the_former_estate_is_left_while_another_one_is_asked_for', async () => {
  await serve(desk.load('east', true));
  expect(shown()).toEqual(['east', 'east', 'east']);
  const loading = desk.load('west', true);
  expect(shown()).toEqual([undefined, undefined, undefined]);
  await serve(loading);
  expect(shown()).toEqual(['west', 'west', 'west']);
});

test('the_same_estate_stays_while_it_is_asked_for_again', async () => {
  await serve(desk.load('east', true));
  const loading = desk.load('east', true);
  expect(shown()).toEqual(['east', 'east', 'east']);
  await serve(loading);
});

test('what_comes_late_of_the_former_estate_is_not_compared_with', async () => {
  const east = desk.load('east', true);
  const late = waiting.splice(0);
  const west = desk.load('west', true);
  for (const { give } of late) give({ day: 'east', items: [] });
  await serve(Promise.all([east, west]).then(() => undefined));
  expect(shown()).toEqual(['west', 'west', 'west']);
});

test('editions_that_did_not_come_are_a_failure_and_not_none', async () => {
  vi.stubGlobal('fetch', (path: string) =>
    path.includes('editions')
      ? Promise.reject(new TypeError('failed to fetch'))
      : Promise.resolve(new Response('{"day":"2026-05-20","items":[]}')),
  );
  await desk.load('east', true);
  expect([desk.error?.status, desk.editions.data]).toEqual([0, null]);
});

test('another_estates_plan_and_stations_are_not_shown_under_the_name_of_the_one_that_is_chosen', async () => {
  vi.stubGlobal('location', { hash: '#/estate?estate=east', pathname: '/', search: '' });
  vi.stubGlobal('history', { replaceState: () => undefined });
  const dash = new Dashboard();
  dash.estates.data = { items: [{ id: 'east' }, { id: '东门' }] as never, next: null };
  const east = dash.loadEstate();
  for (const { give } of waiting.splice(0)) give({ id: 'east', items: [] });
  await east;
  expect(dash.estate.data?.id).toBe('east');
  dash.go({ estate: '东门' });
  expect([dash.estateId, dash.estate.data, dash.stations.data, dash.stationsAt]).toEqual([
    '东门',
    null,
    null,
    null,
  ]);
  for (const { give } of waiting.splice(0)) give({ id: '东门', items: [] });
  await vi.waitFor(() => expect(dash.estate.data?.id).toBe('东门'));
});
