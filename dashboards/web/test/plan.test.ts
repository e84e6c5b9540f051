import { describe, expect, test } from 'vitest';
import { aside, bandOf, neighbour, shownMean } from '../src/lib/plan';

describe('colour of a building', () => {
  test('no_mean_is_shown_for_fewer_than_ten_rated_households', () => {
    expect(shownMean({ rated: 9, mean_score: 40 })).toBeNull();
    expect(shownMean({ rated: 10, mean_score: 40 })).toBe(40);
    expect(shownMean({ rated: 50, mean_score: null })).toBeNull();
    expect(shownMean({ rated: 0, mean_score: 0 })).toBeNull();
    expect(shownMean({ rated: null, mean_score: null })).toBeNull();
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

describe('a station near buildings', () => {
  const box = { x: 10, y: 10, w: 20, h: 6 };
  test('a_mark_that_covers_no_building_stays_where_it_is', () => {
    expect(aside({ x: 20, y: 30 }, 5, [box])).toEqual({ x: 20, y: 30 });
    expect(aside({ x: 20, y: 12 }, 5, [])).toEqual({ x: 20, y: 12 });
  });
  test('a_mark_on_a_building_stands_beside_it', () => {
    expect(aside({ x: 29, y: 14 }, 5, [box])).toEqual({ x: 35.25, y: 14 });
    expect(aside({ x: 20, y: 15 }, 5, [box])).toEqual({ x: 20, y: 21.25 });
  });
  test('where_there_is_no_room_it_stays', () => {
    const everywhere = { x: -100, y: -100, w: 200, h: 200 };
    expect(aside({ x: 0, y: 0 }, 5, [everywhere])).toEqual({ x: 0, y: 0 });
  });
});
