import { expect, test } from 'vitest';
import { defaultStep, drawPoints, keepStreams, windowOf } from '../src/lib/series';
import { HOUR } from '../src/lib/time';

const ZONE = 'Asia/Shanghai';
const NOW = Date.parse('2026-05-20T16:30:05Z'); // 00:30 on the 21st at the site

test('a_day_window_begins_at_the_sites_midnight', () => {
  const { from, to } = windowOf('7d', 'day', NOW, ZONE);
  expect(new Date(from).toISOString()).toBe('2026-05-14T16:00:00.000Z');
  expect(to).toBe(NOW);
});

test('an_hour_window_begins_on_a_whole_hour', () => {
  expect(new Date(windowOf('24h', 'hour', NOW, ZONE).from).toISOString()).toBe('2026-05-19T16:00:00.000Z');
});

test('long_ranges_default_to_days', () => {
  expect((['24h', '7d', '30d', '90d'] as const).map(defaultStep)).toEqual(['hour', 'hour', 'day', 'day']);
});

test('the_axis_reads_the_sites_wall_clock', () => {
  const [point] = drawPoints([[NOW, 0.5]], 'hour', ZONE);
  expect(new Date(point!.wall).toISOString()).toBe('2026-05-21T00:30:05.000Z');
  expect(point!.at).toBe(NOW);
});

test('a_silence_breaks_the_line_instead_of_being_drawn_through', () => {
  const at = (h: number): [number, number] => [h * HOUR, h];
  const points = drawPoints([at(5), at(0), at(1), at(9), at(10)], 'hour', ZONE);
  expect(points.map((p) => p.value)).toEqual([0, 1, null, 5, null, 9, 10]);
  expect(points.filter((p) => p.alone).map((p) => p.value)).toEqual([5]);
});

test('a_stream_switched_off_leaves_chart_and_file_alike', () => {
  const series = [
    { device: 'a', stream: 'food' as const, points: [] },
    { device: 'a', stream: null, points: [] },
  ];
  const answer = { measure: 'fill', step: 'hour', agg: 'mean', unit: 'ratio', from: 0, to: 1, series };
  expect(keepStreams(answer, new Set(['food'])).series.map((s) => s.stream)).toEqual([null]);
});
