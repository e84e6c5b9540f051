import { expect, test } from 'vitest';
import type { Building } from '../src/lib/api';
import { LEGEND, MEASURES, paintOf, unitBoxes, valueOf, type Group } from '../src/lib/paint';

const group = (score: number, rated = 9, households = 10): Group => ({
  building: '1',
  unit: null,
  label: '1幢',
  too_few: false,
  figures: { households, rated, score, low: 0, high: 100, rank: 1 },
});
const few: Group = { ...group(0), too_few: true, figures: null };

test('a_group_that_is_too_small_has_no_value_and_no_colour', () => {
  for (const measure of MEASURES) expect(valueOf(measure, few, group(70))).toBe(null);
  expect(valueOf('change', group(70), few)).toBe(null);
  expect(valueOf('change', group(70), undefined)).toBe(null);
  expect(paintOf('score', null)).toBe(null);
});

test('bands_begin_where_the_legend_says', () => {
  expect([59, 60, 74, 75, 84, 85].map((score) => paintOf('score', score)?.band)).toEqual([
    'low',
    'mid',
    'mid',
    'good',
    'good',
    'high',
  ]);
  for (const measure of MEASURES) {
    const froms = LEGEND[measure].map(({ from }) => from);
    expect(froms).toEqual([...froms].sort((a, b) => a - b));
  }
});

test('a_change_has_a_sign', () => {
  expect(valueOf('change', group(72), group(70))).toBe(2);
  expect(paintOf('change', 2)).toEqual({ text: '+2', band: 'good' });
  expect(paintOf('change', -3)).toEqual({ text: '−3', band: 'low' });
  expect(paintOf('change', 0)).toEqual({ text: '0', band: 'mid' });
});

test('all_but_one_are_not_a_hundred_percent', () => {
  expect(valueOf('rated', group(70, 999, 1000), undefined)).toBe(99);
});

test('units_fill_their_building_along_its_longer_edge', () => {
  const building = { x: 10, y: 5, w: 40, h: 10, units: 4 } as Building;
  expect(unitBoxes(building).map(({ x, w }) => [x, w])).toEqual([
    [10, 10],
    [20, 10],
    [30, 10],
    [40, 10],
  ]);
  expect(unitBoxes({ ...building, w: 10, h: 40 }).map(({ y }) => y)).toEqual([5, 15, 25, 35]);
});
