import { expect, test } from 'vitest';
import { readCode, readPhoto, readWeight } from '../src/lib/scan';

test('a_code_is_taken_as_it_is_printed', () => {
  expect(readCode('  hh-good-0001\n')).toEqual({ code: 'hh-good-0001' });
  expect(readCode('住户'.repeat(32))).toEqual({ code: '住户'.repeat(32) });
});

test('what_is_no_code_is_named', () => {
  expect(readCode(' ')).toEqual({ wrong: 'empty' });
  expect(readCode('x'.repeat(65))).toEqual({ wrong: 'long' });
  expect(readCode('a\u0000b')).toEqual({ wrong: 'letters' });
  expect(readCode('a\ud800')).toEqual({ wrong: 'letters' });
});

test('the_code_that_a_household_logs_in_with_is_not_taken', () => {
  expect(readCode('https://hemu.example/home#code=ABCD-EFGH')).toEqual({ wrong: 'login_code' });
});

test('a_photo_has_a_name_or_none', () => {
  expect([' ', ' IMG_0042 ', '图'.repeat(200)].map(readPhoto)).toEqual([null, 'IMG_0042', '图'.repeat(200)]);
  expect(['图'.repeat(201), 'a\tb', 'a\ud800'].map(readPhoto)).toEqual(Array(3).fill(undefined));
});

test('a_weight_is_kilograms_with_a_comma_or_a_point', () => {
  expect(['1', '0.5', '1,25', '200', ' 2 '].map(readWeight)).toEqual([1000, 500, 1250, 200_000, 2000]);
  expect(['', '-1', '200.001', '1.2345', 'x', '1e3', '1000'].map(readWeight)).toEqual(Array(7).fill(null));
});
