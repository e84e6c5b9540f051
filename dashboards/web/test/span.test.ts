import { expect, test } from 'vitest';
import { isDay, spanOf, turn } from '../src/lib/span';

const ZONE = 'Asia/Shanghai';
const days = (range: 'day' | 'week' | 'month' | '90d', day: string) => {
  const { first, last } = spanOf(range, day, ZONE);
  return [first, last];
};

test('a_span_is_whole_days_of_the_sites_calendar', () => {
  expect(days('day', '2026-11-29')).toEqual(['2026-11-29', '2026-11-29']);
  expect(days('week', '2026-11-29')).toEqual(['2026-11-23', '2026-11-29']);
  expect(days('week', '2026-11-23')).toEqual(['2026-11-23', '2026-11-29']);
  expect(days('month', '2026-02-11')).toEqual(['2026-02-01', '2026-02-28']);
  expect(days('month', '2026-12-31')).toEqual(['2026-12-01', '2026-12-31']);
  expect(days('90d', '2026-11-29')).toEqual(['2026-09-01', '2026-11-29']);
  const { from, to } = spanOf('day', '2026-11-29', ZONE);
  expect(new Date(from).toISOString()).toBe('2026-11-28T16:00:00.000Z');
  expect(to - from).toBe(86_400_000);
});

test('a_day_on_which_clocks_change_is_one_day', () => {
  const { from, to } = spanOf('day', '2026-03-08', 'America/New_York');
  expect(to - from).toBe(23 * 3_600_000);
});

test('turning_forth_and_back_leaves_no_day_out', () => {
  for (const range of ['day', 'week', 'month', '90d'] as const)
    for (const day of ['2026-01-31', '2026-02-28', '2026-12-31']) {
      const here = spanOf(range, day, ZONE);
      const next = spanOf(range, turn(range, day, true), ZONE);
      expect(next.from, `${range} ${day}`).toBe(here.to);
      expect(spanOf(range, turn(range, next.last, false), ZONE), `${range} ${day}`).toEqual(here);
    }
});

test('only_a_real_date_is_a_day', () => {
  expect(['2026-02-28', '2026-02-30', '2026-2-1', '', undefined].map(isDay)).toEqual([
    true,
    false,
    false,
    false,
    false,
  ]);
});
