import { expect, test } from 'vitest';
import type { Reasons } from '../src/lib/api';
import { reach, waterfall } from '../src/lib/waterfall';

const why = (score: number | null, prior: number, points: number[], clamped = 0): Reasons => ({
  edition: '2026-12-01',
  score,
  prior,
  reasons: [],
  streams: points.map((of, i) => ({ stream: i % 2 ? 'residual' : 'food', recent: i < 2, points: of })),
  cameras: 0,
  inspectors: 0,
  clamped,
  sentence: { zh: '', en: '' },
});

test('the_steps_add_up_to_the_score_exactly', () => {
  for (const of of [
    why(98, 77.64, [3.4, 6.4, 0.6, 3.4, 0, 0.1, 4.9, 3.2], -1.4),
    why(41, 77.64, [-12.3, -24.1, 0.2]),
    why(78, 77.6, []),
    why(0, 3.1, [-3.1], 0),
  ]) {
    const falls = waterfall(of)!;
    expect(falls.at(-1)).toMatchObject({ kind: 'score', from: 0, to: of.score! * 10 });
    const between = falls.slice(1, -1);
    expect(falls[0]!.tenths + between.reduce((sum, fall) => sum + fall.tenths, 0)).toBe(of.score! * 10);
    between.forEach((fall, i) => {
      expect(fall.from).toBe(falls[i]!.to);
      expect(fall.to - fall.from).toBe(fall.tenths);
      expect(Number.isInteger(fall.tenths)).toBe(true);
    });
  }
});

test('the_largest_share_comes_first_and_shares_of_nothing_are_left_out', () => {
  const falls = waterfall(why(98, 77.64, [3.4, 6.4, 0, 0.04, 10.5]))!;
  expect(falls.filter((fall) => fall.kind === 'share').map((fall) => fall.tenths)).toEqual([105, 64, 34]);
});

test('without_a_score_there_are_no_steps', () => {
  expect(waterfall(why(null, 77.6, [1]))).toBeNull();
});

test('the_scale_has_room_for_every_step', () => {
  const falls = waterfall(why(41, 77.64, [-12.3, -24.1, 0.2]))!;
  const { low, high } = reach(falls);
  expect(low).toBeLessThan(410);
  expect(high).toBeGreaterThan(776);
});
