import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { cardLost, checkClock } from '../src/inspectors/household/acts';
import { Acts, type Ask } from '../src/lib/acts.svelte';
import type { Deposit, HouseholdRow } from '../src/lib/api';

let sent: { path: string; body: unknown }[] = [];
beforeEach(() => {
  sent = [];
  vi.stubGlobal('fetch', (path: string, init: RequestInit) => {
    sent.push({ path, body: JSON.parse(init.body as string) as unknown });
    return Promise.resolve(new Response('{"position":1}'));
  });
});
afterEach(() => vi.unstubAllGlobals());

const lost = (today: string): Ask =>
  cardLost({ id: 'hh-1', label: '12幢1单元 30*' } as HouseholdRow, { today, zone: 'UTC' });

test('a_day_that_nobody_chose_is_not_offered_on_a_later_one', async () => {
  const acts = new Acts(() => undefined);
  acts.ask(lost('2026-05-20'));
  expect(acts.value('since')).toBe('2026-05-20');
  acts.close();
  acts.ask(lost('2026-05-22'));
  expect(acts.value('since')).toBe('2026-05-22');
  await acts.go();
  expect(sent).toEqual([
    { path: './api/v1/households/hh-1/card-lost', body: { since: Date.UTC(2026, 4, 22) } },
  ]);
});

test('what_was_typed_stays_until_the_act_is_done', async () => {
  const acts = new Acts(() => undefined);
  acts.ask(lost('2026-05-20'));
  acts.type('since', '2026-05-18');
  acts.close();
  acts.ask(lost('2026-05-22'));
  expect(acts.value('since')).toBe('2026-05-18');
  // A field that was emptied is empty, and not filled again under somebody's hands.
  acts.type('since', '');
  expect(acts.value('since')).toBe('');
  await acts.go();
  expect([sent.length, acts.refusal?.field]).toEqual([0, 'since']);
  acts.type('since', '2026-05-19');
  await acts.go();
  acts.ask(lost('2026-05-22'));
  expect(acts.value('since')).toBe('2026-05-22');
});

test('a_clock_is_checked_by_the_readings_place_and_asks_for_no_reason', async () => {
  const acts = new Acts(() => undefined);
  acts.ask(checkClock({ place: '4711.0' } as Deposit, 'a bag'));
  await acts.go();
  expect(sent).toEqual([{ path: './api/v1/readings/4711.0/clock-checked', body: {} }]);
  expect(acts.done?.undo, 'the server takes no check back').toBeUndefined();
});
