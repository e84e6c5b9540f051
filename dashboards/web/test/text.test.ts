import { expect, test } from 'vitest';
import { countMissing, describeMissing, visible } from '../src/lib/text';

test('deceptive_characters_are_shown_as_escapes', () => {
  expect(visible('a\u0000b\u202ec\u200bd\u2066e\ufeff')).toBe('a\\u0000b\\u202ec\\u200bd\\u2066e\\ufeff');
  expect(visible('易腐\tline\nnext "quoted" <b>')).toBe('易腐\tline\nnext "quoted" <b>');
});

test('gaps_are_counted_with_both_ends', () => {
  expect(
    countMissing([
      [41, 55],
      [90, 90],
    ]),
  ).toEqual({ gaps: 2, records: 16 });
  expect(countMissing([])).toEqual({ gaps: 0, records: 0 });
  expect(
    describeMissing([
      [41, 55],
      [90, 90],
    ]),
  ).toBe('41–55, 90');
  expect(
    describeMissing(
      [
        [1, 1],
        [3, 3],
        [5, 5],
      ],
      2,
    ),
  ).toBe('1, 3, …');
});
