import { expect, test } from 'vitest';
import { en, zh } from '../src/lib/i18n';
import { fillIn, pickLang, slots } from '../src/lib/i18n/format';

const keys = Object.keys(zh) as (keyof typeof zh)[];

test('both_dictionaries_have_the_same_keys', () => {
  expect(Object.keys(en).sort()).toEqual([...keys].sort());
});

test('no_message_is_empty', () => {
  for (const key of keys) {
    expect(zh[key].trim(), key).not.toBe('');
    expect(en[key].trim(), key).not.toBe('');
  }
});

test('an_english_message_asks_for_nothing_that_the_chinese_one_does_not', () => {
  // A building is named by its label in Chinese and by its number in English.
  const named = (key: string, found: string[]) =>
    key === 'plan.building' ? found.filter((s) => s !== 'id' && s !== 'label') : found;
  for (const key of keys) expect(named(key, slots(en[key])), key).toEqual(named(key, slots(zh[key])));
});

test('no_english_message_is_left_in_chinese', () => {
  for (const key of keys) expect(en[key], key).not.toMatch(/\p{Script=Han}/u);
});

test('values_are_filled_in_with_the_word_that_fits', () => {
  expect(fillIn('{n#day|days} of {of}', { n: 1, of: 7 })).toBe('1 day of 7');
  expect(fillIn('{n#day|days}', { n: 2 })).toBe('2 days');
  expect(fillIn('{missing} stays', {})).toBe('{missing} stays');
  expect(fillIn('{a}', { a: '{b}', b: 'no' })).toBe('{b}');
});

test('the_language_is_the_chosen_one_or_the_browsers', () => {
  expect(pickLang('en', 'zh-CN')).toBe('en');
  expect(pickLang(null, 'zh-TW')).toBe('zh');
  expect(pickLang(null, 'de-DE')).toBe('en');
  expect(pickLang('klingon', 'ZH')).toBe('zh');
});

test('an_edition_to_decide_waits_for_the_window_of_objections_and_not_for_its_publication', () => {
  expect(zh['need.say.deciding']).toMatch(/^异议期已过/);
  expect(zh['need.say.deciding']).not.toContain('公示期');
});
