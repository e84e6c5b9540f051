import { describe, expect, test } from 'vitest';
import { bandOf, neighbour, shownMean } from '../src/lib/plan';

describe('colour of a building', () => {
  test('no_mean_is_shown_for_fewer_than_ten_rated_households', () => {
    expect(shownMean({ rated: 9, mean_score: 40 })).toBeNull();
    expect(shownMean({ rated: 10, mean_score: 40 })).toBe(40);
    expect(shownMean({ rated: 50, mean_score: null })).toBeNull();
    expect(shownMean({ rated: 0, mean_score: 0 })).toBeNull();
  });

  test('a_band_begins_at_its_threshold', () => {
    const bands = [0, 59, 60, 74, 75, 84, 85, 100].map(bandOf);
    expect(bands).toEqual(['low', 'low', 'mid', 'mid', 'good', 'good', 'high', 'high']);
  });

  test('the_colour_agrees_with_the_printed_number', () => {
    expect(shownMean({ rated: 20, mean_score: 59.6 })).toBe(60);
    expect(bandOf(59.6)).toBe('mid');
    expect(bandOf(59.4)).toBe('low');
  });
});

describe('walking the plan by arrow keys', () => {
  const places = [
    { x: 0, y: 0 },
    { x: 10, y: 1 },
    { x: 20, y: 0 },
    { x: 0, y: 10 },
  ];
  test('an_arrow_goes_to_the_nearest_place_on_that_side', () => {
    expect(neighbour(places, 0, 'ArrowRight')).toBe(1);
    expect(neighbour(places, 1, 'ArrowRight')).toBe(2);
    expect(neighbour(places, 0, 'ArrowDown')).toBe(3);
    expect(neighbour(places, 3, 'ArrowUp')).toBe(0);
  });
  test('at_the_edge_an_arrow_stays', () => {
    expect(neighbour(places, 0, 'ArrowLeft')).toBe(0);
    expect(neighbour(places, 2, 'ArrowRight')).toBe(2);
    expect(neighbour([], 0, 'ArrowUp')).toBe(0);
  });
});
