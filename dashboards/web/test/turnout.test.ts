import { expect, test } from 'vitest';
import { shareOf, timeText } from '../src/lib/turnout';

test('a share needs its numerator and its denominator', () => {
  expect(shareOf(11, 15)).toBeCloseTo(0.733, 3);
  expect(shareOf(0, 15)).toBe(0);
  expect(shareOf(null, 15)).toBeNull();
  expect(shareOf(3, null)).toBeNull();
  expect(shareOf(0, 0)).toBeNull();
});

test('a week is named by its first and last day, across a month', () => {
  expect(timeText({ from: '2026-05-19', to: '2026-05-20' }, 'day')).toBe('05-19');
  expect(timeText({ from: '2026-04-27', to: '2026-05-04' }, 'week')).toBe('04-27–05-03');
});
