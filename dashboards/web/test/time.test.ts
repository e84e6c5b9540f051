import { describe, expect, test } from 'vitest';
import { SiteClock } from '../src/lib/clock';
import {
  DAY,
  HOUR,
  addDays,
  dateTimeOf,
  dayOf,
  daysBetween,
  midnight,
  rfc3339,
  timeOf,
  weekday,
  zoneOffset,
} from '../src/lib/time';

const SHANGHAI = 'Asia/Shanghai';
const NEW_YORK = 'America/New_York';

test('these_tests_run_in_a_zone_that_is_not_the_sites', () => {
  expect(Intl.DateTimeFormat().resolvedOptions().timeZone).toBe(NEW_YORK);
  expect(new Date('2026-05-20T16:30:00Z').getHours()).toBe(12);
});

describe('formatting', () => {
  test('an_instant_is_shown_in_the_sites_zone', () => {
    const at = Date.parse('2026-05-20T16:30:05Z');
    expect(dayOf(at, SHANGHAI)).toBe('2026-05-21');
    expect(timeOf(at, SHANGHAI)).toBe('00:30:05');
    expect(dateTimeOf(at, SHANGHAI)).toBe('2026-05-21 00:30');
    expect(dateTimeOf(at, 'UTC')).toBe('2026-05-20 16:30');
  });

  test('midnight_is_00_and_never_24', () => {
    expect(timeOf(Date.parse('2026-05-20T16:00:00Z'), SHANGHAI)).toBe('00:00:00');
  });

  test('a_file_carries_the_offset_of_the_site', () => {
    expect(rfc3339(Date.parse('2026-05-20T16:30:05Z'), SHANGHAI)).toBe('2026-05-21T00:30:05+08:00');
    expect(rfc3339(Date.parse('2026-05-20T16:30:05Z'), 'Asia/Kolkata')).toBe('2026-05-20T22:00:05+05:30');
    expect(rfc3339(Date.parse('2026-05-20T16:30:05Z'), NEW_YORK)).toBe('2026-05-20T12:30:05-04:00');
  });

  test('the_offset_ignores_milliseconds', () => {
    expect(zoneOffset(Date.parse('2026-05-20T16:30:05.999Z'), SHANGHAI)).toBe(8 * HOUR);
    expect(zoneOffset(-1, SHANGHAI)).toBe(8 * HOUR);
  });
});

describe('calendar days', () => {
  test('midnight_belongs_to_the_zone', () => {
    expect(midnight('2026-05-21', SHANGHAI)).toBe(Date.parse('2026-05-20T16:00:00Z'));
    expect(midnight('2026-05-21', 'UTC')).toBe(Date.parse('2026-05-21T00:00:00Z'));
  });

  test('midnight_is_right_on_the_days_the_clocks_change', () => {
    for (const day of ['2026-03-08', '2026-03-09', '2026-11-01', '2026-11-02']) {
      expect(dateTimeOf(midnight(day, NEW_YORK), NEW_YORK)).toBe(`${day} 00:00`);
    }
    expect(midnight('2026-03-09', NEW_YORK) - midnight('2026-03-08', NEW_YORK)).toBe(DAY - HOUR);
  });

  test('day_arithmetic_crosses_months_and_leap_days', () => {
    expect(addDays('2028-02-28', 1)).toBe('2028-02-29');
    expect(addDays('2026-03-01', -1)).toBe('2026-02-28');
    expect(addDays('2026-03-07', 2)).toBe('2026-03-09');
    expect(daysBetween('2026-12-30', '2027-01-02')).toHaveLength(4);
    expect(daysBetween('2027-01-02', '2026-12-30')).toEqual([]);
  });

  test('monday_is_the_first_day_of_the_week', () => {
    expect(weekday('2026-05-18')).toBe(0);
    expect(weekday('2026-05-24')).toBe(6);
  });
});

describe('the clock of the site', () => {
  test('it_runs_at_the_servers_speed_and_not_by_the_browsers_date', () => {
    let mono = 5_000;
    const clock = new SiteClock(() => mono);
    expect(clock.now()).toBeNull();
    clock.set(1_000_000, 60);
    mono += 2_000;
    expect(clock.now()).toBe(1_120_000);
    clock.set(2_000_000, 1);
    mono += 500;
    expect(clock.now()).toBe(2_000_500);
  });

  test('a_senseless_speed_counts_as_one', () => {
    let mono = 0;
    const clock = new SiteClock(() => mono);
    for (const speed of [0, -3, NaN, Infinity]) {
      clock.set(100, speed);
      mono += 7;
      expect(clock.now()).toBe(107);
    }
  });
});
