import { expect, test } from 'vitest';
import { formatRoute, parseRoute } from '../src/lib/route';

test('what_is_written_is_read_again', () => {
  const route = {
    page: 'station',
    estate: 'hemu-xincun',
    station: 'st01',
    with: 'st02~st-3',
    measure: 'fill',
    range: '90d',
    day: '2026-05-20',
    step: 'day',
  };
  expect(parseRoute(formatRoute(route))).toEqual(route);
  expect(formatRoute({ page: 'today' })).toBe('#/today');
  expect(formatRoute({})).toBe('');
});

test('a_household_never_gets_into_a_link', () => {
  expect(parseRoute('#/household?household=h-1&station=s')).toEqual({ page: 'household', station: 's' });
  expect(formatRoute({ page: 'household', household: 'h-1' } as object)).toBe('#/household');
});

test('odd_values_are_dropped', () => {
  expect(parseRoute('#/station?with=a~b~c~d')).toEqual({ page: 'station' });
  expect(parseRoute('#/sta<b>?station=a%20b&measure=../x')).toEqual({});
  expect(parseRoute('#')).toEqual({});
});
