import { expect, test } from 'vitest';
import { apart, formatRoute, parseRoute, together } from '../src/lib/route';

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
  expect(parseRoute('#/sta<b>?station=a%0Ab&measure=../x')).toEqual({});
  expect(parseRoute(`#/station?estate=&station=${'x'.repeat(65)}`)).toEqual({ page: 'station' });
  expect(parseRoute('#')).toEqual({});
});

test('a_place_is_called_in_a_link_whatever_the_register_calls_it', () => {
  const names = ['东门', 'Gate 2 & 3', 'a?b=c#d', '100%', '%7E', '~', 'st~01', '\u{20BB7}'.repeat(64)];
  for (const name of names) {
    const route = { page: 'station', estate: name, station: name, with: together([name, 'st02', name]) };
    const address = formatRoute(route);
    expect(address).toMatch(/^#[!-~]*$/);
    expect(parseRoute(address)).toEqual(route);
    expect(apart(parseRoute(address).with ?? '')).toEqual([name, 'st02', name]);
  }
  // What is no place's name stays as narrow as it was.
  expect(parseRoute('#/lists?edition=%E4%B8%9C&day=a%20b&tab=%E4%B8%9C')).toEqual({ page: 'lists' });
});

test('stations_beside_the_first_one_are_few_and_each_has_a_name', () => {
  expect(parseRoute(formatRoute({ page: 'station', with: 'st02~st-3' })).with).toBe('st02~st-3');
  for (const odd of ['a~~b', '~a', 'a~b~c~d', `a~${'x'.repeat(65)}`])
    expect(parseRoute(`#/station?with=${odd}`)).toEqual({ page: 'station' });
});
