import { expect, test } from 'vitest';
import type { Building, Device, Station } from '../src/lib/api';
import { PER_KIND, asksForHouseholds, find, plain, type Known } from '../src/lib/search';

const known: Known = {
  pages: [
    { id: 'today', title: '今日' },
    { id: 'quality', title: '数据质量' },
  ],
  stations: Array.from({ length: 12 }, (_, i) => ({
    id: `s${String(i + 1).padStart(2, '0')}`,
    name: `${i + 1}号集置点`,
  })) as Station[],
  devices: [
    { id: 'st01', station: 's01' },
    { id: 'insp01', station: 's01' },
  ] as Device[],
  buildings: [{ id: '2', label: '2幢' } as Building, { id: '12', label: '12幢' } as Building],
  editions: [{ id: 7, day: '2026-05-18', state: 'draft' }],
};
const titles = (typed: string) => find(typed, known).map(({ title }) => title);

test('nothing_typed_offers_the_pages', () => {
  expect(titles('  ')).toEqual(['今日', '数据质量']);
});

test('the_whole_word_comes_before_a_beginning_before_a_part', () => {
  const buildings = find('2', known).filter(({ kind }) => kind === 'building');
  expect(buildings.map(({ id }) => id)).toEqual(['2', '12']);
});

test('no_kind_crowds_out_the_others', () => {
  expect(find('集置点', known)).toHaveLength(PER_KIND);
});

test('full_width_digits_and_capitals_find_the_same', () => {
  expect(plain(' ＳＴ０１ ')).toBe('st01');
  expect(plain('12－1－301')).toBe('12-1-301');
  expect(titles('ＳＴ０１')).toEqual(['st01']);
});

test('an_edition_is_found_by_day_and_by_number', () => {
  expect(titles('2026-05')).toEqual(['2026-05-18']);
  expect(titles('#7')).toEqual(['2026-05-18']);
});

test('one_character_asks_nobody_for_households', () => {
  expect(asksForHouseholds('1 ')).toBe(false);
  expect(asksForHouseholds('12')).toBe(true);
});
