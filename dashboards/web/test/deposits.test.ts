import { render } from 'svelte/server';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import type { Deposit, Me } from '../src/lib/api';
import { browser } from './browser';

const reading = (flags: string[]): Deposit => ({
  id: 'st01:1:42',
  at: 0,
  day: '2026-05-20',
  device: 'st01',
  stream: 'food',
  weight_g: 900,
  quality: 0.9,
  confidence: 1,
  by: 'camera',
  bag: null,
  photo: null,
  place: '4711.0',
  flags,
  mine: false,
});

let list: typeof import('../src/inspectors/household/DepositList.svelte').default;
let session: typeof import('../src/lib/session.svelte').session;
beforeAll(async () => {
  browser();
  list = (await import('../src/inspectors/household/DepositList.svelte')).default;
  ({ session } = await import('../src/lib/session.svelte'));
});
afterAll(() => vi.unstubAllGlobals());

const who = (rights: string[]) => ({ account: 'p1', role: 'grid_officer', rights }) as unknown as Me;
beforeEach(() => void (session.me = who(['mend_readings'])));

/** The buttons of a reading. */
function offered(flags: string[]): string[] {
  const dash = { dateTime: () => '2026-05-20 07:30', day: () => '2026-05-20', time: () => '07:30:00' };
  const desk = { deposits: { data: { items: [reading(flags)], next: null }, error: null }, pages: [null] };
  const { body } = render(list, { props: { desk, dash, acts: {} } as never });
  const row = body.slice(body.indexOf('<tbody>'));
  return [...row.matchAll(/<button[^>]*>\s*([^<]*)/g)].map(([, text = '']) => text.trim());
}

test('a_clock_can_be_checked_where_it_was_ahead_and_nowhere_else', () => {
  expect(offered(['clock_ahead'])).toEqual(['Check clock', 'Strike']);
  expect(offered(['clock_ahead', 'struck'])).toEqual(['Check clock', 'Restore']);
  expect(offered([])).toEqual(['Strike']);
  expect(offered(['card_lost'])).toEqual(['Strike']);
});

test('whoever_may_not_mend_readings_is_offered_nothing', () => {
  session.me = who(['see_households']);
  expect(offered(['clock_ahead'])).toEqual([]);
});
