import { expect, test } from 'vitest';
import { formatRoute, parseRoute } from '../src/lib/route';

test('a_link_round_trips', () => {
  const hash = '#estate=hemu-xincun&station=st01&measure=fill&range=7d&step=hour';
  expect(formatRoute(parseRoute(hash))).toBe(hash);
  expect(formatRoute({})).toBe('');
});

test('a_household_never_gets_into_an_address', () => {
  const route = parseRoute('#station=st01&household=5f3a&token=5f3a&q=5f3a');
  expect(route).toEqual({ station: 'st01' });
  expect(formatRoute({ ...route, household: '5f3a', q: 'x' } as never)).toBe('#station=st01');
});

test('odd_values_are_dropped', () => {
  expect(parseRoute('#station=../../etc&range=%3Cb%3E&measure=' + 'x'.repeat(65))).toEqual({});
});
