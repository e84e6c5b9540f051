import { expect, test } from 'vitest';
import type { SeriesAnswer } from '../src/lib/api';
import {
  aligned,
  attribution,
  counted,
  csvRows,
  defaultStep,
  drawPoints,
  keep,
  scaleFor,
  stepsOf,
  thinned,
  within,
  type Counted,
} from '../src/lib/series';
import { HOUR, zoneOffset } from '../src/lib/time';

const ZONE = 'Asia/Shanghai';
const NOW = Date.parse('2026-05-20T16:30:05Z'); // 00:30 on the 21st at the site

const reading = (h: number, value = h) => ({ at: h * HOUR, value, n: 2 });
const answer = (agg: string, points: [number, number][]): SeriesAnswer => ({
  measure: 'attributed',
  step: 'hour',
  agg,
  unit: agg === 'count' ? '1' : 'ratio',
  from: 0,
  to: 1,
  series: [{ device: 'a', stream: 'food', points }],
});
const shares = (): Counted =>
  counted(
    's',
    'attributed',
    'hour',
    answer('mean', [
      [HOUR, 2 / 3],
      [0, 0.4],
    ]),
    answer('count', [
      [0, 5],
      [HOUR, 3],
    ]),
  );

test('long_ranges_default_to_days_and_what_is_known_by_the_day_has_no_hours', () => {
  const steps = (view: 'level' | 'deposits' | 'attributed' | 'camera_apart') =>
    (['day', 'week', 'month', '90d'] as const).map((range) => defaultStep(range, view));
  expect(steps('level')).toEqual(['hour', 'hour', 'hour', 'day']);
  expect(steps('deposits')).toEqual(['hour', 'hour', 'day', 'day']);
  expect(steps('attributed')).toEqual(['hour', 'day', 'day', 'day']);
  expect(steps('camera_apart')).toEqual(['day', 'day', 'day', 'day']);
  expect(stepsOf('camera_apart')).toEqual(['day']);
  expect(stepsOf('level')).toEqual(['hour', 'day']);
});

test('the_axis_reads_the_sites_wall_clock', () => {
  const [point] = drawPoints([{ at: NOW, value: 0.5, n: null }], 'hour', ZONE);
  expect(new Date(point!.wall).toISOString()).toBe('2026-05-21T00:30:05.000Z');
  expect(point!.at).toBe(NOW);
});

test('an_hour_that_the_zone_skips_is_skipped_on_the_axis', () => {
  const zone = 'America/New_York';
  const before = Date.parse('2026-03-08T06:30:00Z');
  const walls = drawPoints(
    [before, before + HOUR].map((at) => ({ at, value: 1, n: 1 })),
    'hour',
    zone,
  ).map((p) => p.wall - p.at);
  expect(walls).toEqual([zoneOffset(before, zone), zoneOffset(before + HOUR, zone)]);
  expect(walls[0]).not.toBe(walls[1]);
});

test('a_silence_breaks_the_line_instead_of_being_drawn_through', () => {
  const points = drawPoints(
    [0, 1, 5, 9, 10].map((h) => reading(h)),
    'hour',
    ZONE,
  );
  expect(points.map((p) => (p.gap ? null : p.value))).toEqual([0, 1, null, 5, null, 9, 10]);
  expect(points.filter((p) => p.alone && !p.gap).map((p) => p.value)).toEqual([5]);
});

test('bars_that_stand_on_each_other_have_the_same_times', () => {
  const lines = [[0, 2].map((h) => reading(h, 5)), [1, 2].map((h) => reading(h, 7))];
  const points = aligned(lines.map((of) => drawPoints(of, 'hour', ZONE).filter((p) => !p.gap)));
  expect(points.map((of) => of.map((p) => [p.at / HOUR, p.gap ? null : p.value]))).toEqual([
    [
      [0, 5],
      [1, null],
      [2, 5],
    ],
    [
      [0, null],
      [1, 7],
      [2, 7],
    ],
  ]);
});

test('what_is_switched_off_leaves_chart_and_file_alike', () => {
  const one: Counted = {
    ...shares(),
    lines: [
      { device: 'a', stream: 'food', readings: [] },
      { device: 'a', stream: null, readings: [] },
      { device: 'b', stream: 'residual', readings: [] },
    ],
  };
  expect(keep(one, new Set(['food'])).lines.map((s) => s.stream)).toEqual([null, 'residual']);
  expect(keep(one, new Set(['a'])).lines.map((s) => s.device)).toEqual(['b']);
});

test('a_share_keeps_its_numerator_and_denominator', () => {
  expect(attribution(shares())).toEqual({ named: 4, all: 8 });
  expect(csvRows([shares()], ZONE).map((row) => row.slice(-3))).toEqual([
    [0.4, 2, 5],
    [2 / 3, 2, 3],
  ]);
  const unknown = counted('s', 'attributed', 'hour', answer('mean', [[0, 0.4]]), null);
  expect(attribution(unknown)).toBeNull();
});

test('a_chart_says_how_many_readings_its_points_stand_for', () => {
  expect(thinned([shares()])).toEqual({ points: 2, readings: 8 });
  const number = counted('s', 'deposits', 'hour', answer('sum', [[0, 7]]), null);
  expect(thinned([number])).toEqual({ points: 1, readings: 7 });
});

test('a_file_of_a_zoomed_chart_holds_the_time_that_is_shown', () => {
  const wall = 8 * HOUR;
  const part = within(shares(), { from: wall + HOUR / 2, to: wall + 2 * HOUR }, ZONE);
  expect(part.lines[0]!.readings.map((r) => r.at)).toEqual([HOUR]);
  expect(within(shares(), null, ZONE)).toEqual(shares());
});

test('stations_that_are_compared_share_a_scale_that_every_pile_fits_on', () => {
  const at = (value: number): [number, number][] => [[0, value]];
  const bars = (measure: 'deposits' | 'camera_apart', ...values: number[]): Counted => ({
    ...counted('s', measure, 'hour', answer('sum', at(0)), null),
    lines: values.map((value, i) => ({
      device: `d${i}`,
      stream: null,
      readings: [{ at: 0, value, n: value }],
    })),
  });
  expect(scaleFor([bars('deposits', 3, 4), bars('deposits', 5)])).toEqual({ min: 0, max: 8 });
  expect(scaleFor([bars('camera_apart', -150, 30)])).toEqual({ min: -200, max: 200 });
  expect(scaleFor([bars('deposits')])).toBeNull();
});
