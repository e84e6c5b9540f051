import { expect, test } from 'vitest';
import type { HouseholdDay } from '../src/lib/api';
import { calendar, calendarSpan, kindOf, weeks } from '../src/lib/calendar';

const EDITION = '2026-05-18';
const entry = (day: string, change: Partial<HouseholdDay> = {}): HouseholdDay => ({
  day,
  bags: 1,
  weight_g: 500,
  streams: ['food'],
  evidence: 0.4,
  decayed: 0.2,
  quality: 0.9,
  sources: [],
  ...change,
});

test('the_calendar_is_the_ninety_days_of_the_edition_and_what_came_after', () => {
  const span = calendarSpan(EDITION, '2026-05-20');
  expect(span).toEqual({ from: '2026-02-17', to: '2026-05-20' });
  const days = calendar(span, EDITION, [entry('2026-05-19')]);
  expect(days.filter((d) => !d.later)).toHaveLength(90);
  expect(days.filter((d) => d.later).map((d) => d.day)).toEqual(['2026-05-18', '2026-05-19', '2026-05-20']);
});

test('a_clock_far_from_the_edition_does_not_stretch_the_calendar', () => {
  expect(calendarSpan(EDITION, '2031-01-01').to).toBe('2026-05-17');
  expect(calendarSpan(EDITION, '2020-01-01').to).toBe('2026-05-17');
});

test('a_day_that_counts_for_nothing_has_no_quality_colour', () => {
  expect(kindOf(null)).toBe('none');
  expect(kindOf(entry('2026-05-01', { bags: 0 }))).toBe('none');
  expect(kindOf(entry('2026-05-01', { evidence: 0, quality: 0.95 }))).toBe('uncounted');
  expect(kindOf(entry('2026-05-01', { quality: null }))).toBe('uncounted');
  expect(kindOf(entry('2026-05-01', { quality: 0.59 }))).toBe('low');
  expect(kindOf(entry('2026-05-01', { quality: 0.85 }))).toBe('high');
});

test('weeks_begin_on_monday_and_are_padded', () => {
  const days = calendar({ from: '2026-05-20', to: '2026-05-26' }, '2026-06-01', []);
  const columns = weeks(days);
  expect(columns.map((w) => w.map((d) => d?.day.slice(8) ?? ''))).toEqual([
    ['', '', '20', '21', '22', '23', '24'],
    ['25', '26', '', '', '', '', ''],
  ]);
});
