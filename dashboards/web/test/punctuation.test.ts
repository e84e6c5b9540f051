// Chinese is set with its own punctuation: a half-width comma between two characters looks like a slip, and is one.
import { expect, test } from 'vitest';
import { zh as inspectors } from '../src/lib/i18n';
import { zh as residents } from '../src/residents/i18n/zh';
import { zh as screen } from '../src/screen/i18n/zh';

/** Texts in which the half-width one is itself what is meant: a key to press, characters that a name may have, a list for the
 * program. */
const MEANT: Record<string, string> = {
  'accounts.name_hint': '_ - . @ :',
  'accounts.wrong.name': '_ - . @ :',
  'cal.weekdays': '一,二,三,四,五,六,日',
  'places.keys': '（?）',
};

/** The half-width marks of a text, with what stands beside them; not those of code, an address, a number or a time. */
function slips(text: string, meant = ''): string[] {
  if (!/\p{Script=Han}/u.test(text)) return [];
  const prose = text.replace(/`[^`]*`/g, '').replace(meant, '');
  return prose.match(/.?(?<![0-9])[,:](?!\/\/).?|.?[,:](?![0-9/]).?|.?[;?!()].?/gu) ?? [];
}

test('a_half_width_mark_beside_a_character_or_a_value_is_found_and_others_are_not', () => {
  expect(slips('连不上服务器,请重试')).toEqual(['器,请']);
  expect(slips('还差 {n} 批({percent})')).toEqual(['批({', '})']);
  expect(slips('没有查到:{why}')).toEqual(['到:{']);
  expect(slips('{a},{b}户')).toEqual(['},{']);
  expect(slips('满分 100;60 分')).toEqual(['0;6']);
  expect(slips('最多 10,000 个点，07:30 起，见 http://a.b/，执行 `hemu x (y)`；好')).toEqual([]);
  expect(slips('a, b: c?')).toEqual([]);
});

test('no_chinese_text_has_half_width_punctuation', () => {
  const found = [inspectors, residents, screen].flatMap((texts) =>
    Object.entries(texts).flatMap(([key, text]) => slips(text, MEANT[key]).map((slip) => `${key}: ${slip}`)),
  );
  expect(found).toEqual([]);
});

test('every_exception_is_one', () => {
  const texts: Record<string, string> = inspectors;
  for (const [key, meant] of Object.entries(MEANT)) expect(texts[key], key).toContain(meant);
});
