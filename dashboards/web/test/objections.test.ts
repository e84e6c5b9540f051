import { render } from 'svelte/server';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { Acts } from '../src/lib/acts.svelte';
import type { Deposit, Me } from '../src/lib/api';
import { browser } from './browser';

/** What the table of readings is given. */
let given: { mend?: (reading: Deposit, struck: boolean) => void } = {};
vi.mock('../src/inspectors/objections/ReadingTable.svelte', () => ({
  default: (_: unknown, props: typeof given) => (given = props),
}));

let view: typeof import('../src/inspectors/objections/ObjectionView.svelte').default;
beforeAll(async () => {
  browser();
  view = (await import('../src/inspectors/objections/ObjectionView.svelte')).default;
  const { session } = await import('../src/lib/session.svelte');
  session.me = {
    account: 'p2',
    role: 'grid_officer',
    rights: ['mend_readings', 'decide_lists'],
  } as never as Me;
});
afterAll(() => vi.unstubAllGlobals());

const reading = {
  place: '4711.0',
  at: 0,
  by: 'inspector',
  device: 'account-3f2a',
  stream: 'food',
  weight_g: 900,
};
const objection = {
  id: 1,
  by: 'r1',
  at: 0,
  state: 'pending',
  readings: ['4711.0'],
  household: '···0002',
  words: 'not ours',
};

/** The view of an objection to one reading, and what is asked there. */
function shown(mine: boolean): { body: string; acts: Acts } {
  const acts = new Acts(() => undefined);
  const readings = { data: [{ ...reading, mine, flags: [] }] };
  const none = () => null;
  const desk = { acts, readings, moved: { data: null }, editionOf: none, revisionOf: none };
  const props = { desk, objection, dash: { dateTime: () => '2026-05-20 07:30' } };
  return { body: render(view, { props: props as never }).body, acts };
}

test('whoever_made_a_reading_with_the_own_phone_is_not_offered_the_decision', () => {
  expect(shown(true).body).toContain('id="objection-part"');
  expect(shown(true).body).not.toContain('id="uphold"');
  expect(shown(false).body).toContain('id="uphold"');
});

test('a_reading_is_struck_from_an_objection_with_a_reason_as_the_server_asks', () => {
  const { acts } = shown(false);
  given.mend?.(reading as unknown as Deposit, false);
  expect(acts.asked?.path).toEqual(['readings', '4711.0', 'strike']);
  expect(acts.asked?.fields.map(({ name }) => name)).toEqual(['reason']);
  given.mend?.(reading as unknown as Deposit, true);
  expect(acts.asked?.path).toEqual(['readings', '4711.0', 'restore']);
});
