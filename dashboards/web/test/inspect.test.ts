import { render } from 'svelte/server';
import { expect, test, vi } from 'vitest';
import type { Me, Site } from '../src/lib/api';
import { browser } from './browser';

/** What the form for a grade is given. */
let given: { now: () => number | null } | null = null;
vi.mock('../src/inspectors/inspect/Grade.svelte', () => ({
  default: (_: unknown, props: typeof given) => (given = props),
  EMPTY: {},
}));

const HOUR = 3_600_000;

test('a_bag_is_graded_at_the_sites_time_after_the_phone_slept_without_a_network', async () => {
  browser();
  const { default: inspect } = await import('../src/inspectors/inspect/Inspect.svelte');
  const { phone } = await import('../src/lib/phone.svelte');
  const { session } = await import('../src/lib/session.svelte');
  session.me = { account: 'p1', role: 'inspector', rights: ['inspect', 'grade_bags'] } as unknown as Me;
  const site = { now: 1_000_000, speed: 1, zone: 'UTC' } as Site;
  const dash = { now: site.now, zone: 'UTC', site: { data: site }, stations: { data: null } };
  const now = () => {
    const { body } = render(inspect, { props: { dash } as never });
    expect(body).toContain('id="grade"');
    return given?.now();
  };
  expect(now(), 'all there is before the site was heard').toBe(site.now);

  vi.useFakeTimers({ toFake: ['Date'] });
  phone.rememberClock(site);
  vi.setSystemTime(Date.now() + HOUR);
  // The page's own clock stood still meanwhile.
  expect(now()).toBe(site.now + HOUR);
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
