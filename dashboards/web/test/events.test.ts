import { expect, test } from 'vitest';
import type { SeriesAnswer } from '../src/lib/api';
import { incidentsAt, numbered, silences } from '../src/lib/events';
import { HOUR } from '../src/lib/time';

const heard = (...hours: number[]): SeriesAnswer => ({
  measure: 'fill',
  step: 'hour',
  agg: 'count',
  unit: '1',
  from: 0,
  to: 0,
  series: [
    { device: 'a', stream: 'food', points: hours.map((h): [number, number] => [h * HOUR, 2]) },
    // The other bin of the same device was heard too.
    { device: 'a', stream: 'residual', points: [[3 * HOUR, 2]] },
  ],
});
const found = (answer: SeriesAnswer, from: number, until: number) =>
  silences('s', answer, 'hour', from * HOUR, until * HOUR).map(({ at, to }) => [at / HOUR, to && to / HOUR]);

test('two_whole_hours_without_a_reading_are_a_silence', () => {
  expect(found(heard(0, 1, 2, 5, 8, 9), 0, 10)).toEqual([[6, 8]]);
});

test('a_silence_that_lasts_has_no_end', () => {
  expect(found(heard(0, 1, 2), 0, 20)).toEqual([[4, null]]);
  expect(found(heard(0, 1, 2), 0, 5)).toEqual([]);
});

test('a_silence_from_before_is_told_and_one_that_was_over_is_not', () => {
  expect(found(heard(-20, 0, 1, 2, 4, 5), -2, 6)).toEqual([[-19, 0]]);
  expect(found(heard(-20, -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 1, 2, 4, 5), 0, 6)).toEqual([]);
});

test('a_device_that_was_never_heard_of_is_not_silent', () => {
  expect(silences('s', { ...heard(), series: [] }, 'hour', 0, 100 * HOUR)).toEqual([]);
});

test('incidents_of_other_devices_and_times_are_left_out_and_all_are_numbered_by_time', () => {
  const one = (at: number, device: string) => ({
    at,
    device,
    kind: 'overflow',
    stream: null,
    note: null,
    photo: null,
  });
  const there = incidentsAt('s', ['a'], [one(5, 'a'), one(1, 'a'), one(2, 'b'), one(9, 'a')], 1, 9);
  expect(numbered(there).map((m) => [m.nth, m.at])).toEqual([
    [1, 1],
    [2, 5],
  ]);
});
