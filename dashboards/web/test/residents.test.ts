import { expect, test } from 'vitest';
import { fillIn, slots } from '../src/lib/i18n/format';
import { advice, worstDays } from '../src/residents/advice';
import type { Building, HouseholdDay, Own, Person, Reasons, Told } from '../src/residents/ask';
import { takeCode, typedCode } from '../src/residents/code';
import { en } from '../src/residents/i18n/en';
import { zh, type Key } from '../src/residents/i18n/zh';
import { after, being, note } from '../src/residents/people';
import { scale, steps } from '../src/residents/shares';
import { mayObject, step } from '../src/residents/stage';
import { meanOf, weeksOf } from '../src/residents/weeks';

const keys = Object.keys(zh) as Key[];

test('the_residents_dictionaries_have_the_same_keys_and_say_something', () => {
  expect(Object.keys(en).sort()).toEqual([...keys].sort());
  for (const key of keys) expect(zh[key].trim() && en[key].trim(), key).not.toBe('');
});

test('an_english_sentence_asks_for_what_the_chinese_one_does', () => {
  // Months and days are written in another order and with names; plans of both are filled from the same values.
  const free = ['day.short', 'day.long'];
  for (const key of keys) if (!free.includes(key)) expect(slots(en[key]), key).toEqual(slots(zh[key]));
  for (const key of keys) expect(en[key], key).not.toMatch(/\p{Script=Han}/u);
  expect(fillIn(en['left.days'], { n: 1 })).toBe('1 day left');
});

function at(hash: string) {
  const kept: string[] = [];
  const history = {
    replaceState: (_: unknown, __: string, to?: string | URL | null) => kept.push(String(to)),
  };
  const code = takeCode({ hash, pathname: '/home', search: '' }, history);
  return { code, kept };
}

test('a_code_is_taken_out_of_the_address', () => {
  expect(at('#code=ABCD-EFGH-JKLM')).toEqual({ code: 'ABCD-EFGH-JKLM', kept: ['/home'] });
  expect(at('#a=b&code=ABCD%20EFGH')).toEqual({ code: 'ABCD EFGH', kept: ['/home'] });
  expect(at('#code=')).toEqual({ code: null, kept: ['/home'] });
  expect(at('#code=%E0%A4%A').code).toBe('%E0%A4%A');
  expect(at('')).toEqual({ code: null, kept: [] });
  expect(at('#barcode=X')).toEqual({ code: null, kept: [] });
});

test('a_pasted_link_gives_its_code', () => {
  expect(typedCode(' abcd efgh jklm ')).toBe('abcd efgh jklm');
  expect(typedCode('https://hemu.example/home#code=ABCD-EFGH-JKLM')).toBe('ABCD-EFGH-JKLM');
});

const why = (streams: [string, boolean, number][], more: Partial<Reasons> = {}): Reasons => ({
  edition: '2026-05-21',
  score: 60,
  prior: 70,
  reasons: [],
  streams: streams.map(([stream, recent, points]) => ({ stream: stream as 'food', recent, points })),
  cameras: 0,
  inspectors: 0,
  clamped: 0,
  sentence: { zh: '', en: '' },
  ...more,
});

test('the_steps_lead_from_where_all_begin_to_the_score', () => {
  const moved = steps(
    why([
      ['food', true, -8],
      ['food', false, -4.5],
      ['residual', true, 2.5],
      ['hazardous', true, 0],
    ]),
  );
  expect(moved.map((s) => [s.stream, s.from, s.to])).toEqual([
    ['food', 70, 57.5],
    ['residual', 57.5, 60],
  ]);
  expect(scale(why([]), moved)).toEqual([50, 70]);
  // Shares that cancel out are no reason to say nothing of them.
  expect(
    steps(
      why([
        ['food', true, 3],
        ['food', false, -3],
      ]),
    ),
  ).toHaveLength(1);
  expect(scale(why([], { prior: 70, score: 70 }), [])).toEqual([70, 80]);
});

const day = (date: string, bags: number, evidence: number, quality: number | null): HouseholdDay => ({
  day: date,
  bags,
  weight_g: 0,
  streams: [],
  evidence,
  decayed: 0,
  quality,
  sources: [],
});
const mean = (score: number) => ({ households: 40, rated: 30, score, low: score - 3, high: score + 3 });
const told = (date: string, building: number | null, estate: number | null): Building['weeks'][number] => ({
  edition: 1,
  day: date,
  building: building === null ? null : mean(building),
  estate: estate === null ? null : mean(estate),
});

test('weeks_are_the_sites_and_weighed_by_evidence', () => {
  // 2026-05-18 is a Monday, and so is the edition of the week before it.
  const weeks = weeksOf(
    [
      day('2026-05-10', 2, 1, 0.5),
      day('2026-05-11', 1, 3, 0.9),
      day('2026-05-17', 1, 1, 0.5),
      day('2026-05-19', 4, 0, null),
    ],
    { label: '12幢', weeks: [told('2026-05-18', 71, 80)] },
    '2026-05-20',
  );
  expect(weeks.map((w) => [w.from, w.bags, w.own, w.mean?.score ?? null])).toEqual([
    ['2026-05-04', 2, 50, null],
    ['2026-05-11', 2, 80, 71],
    ['2026-05-18', 4, null, null],
  ]);
  expect(weeksOf([], null, '2026-05-20')).toEqual([]);
});

test('the_estates_mean_stands_in_where_the_buildings_may_not_be_shown', () => {
  expect(meanOf({ label: '12幢', weeks: [told('2026-05-18', null, 80)] })).toBe('estate');
  expect(meanOf({ label: '12幢', weeks: [told('2026-05-11', null, 80), told('2026-05-18', 70, 80)] })).toBe(
    'building',
  );
  expect(meanOf({ label: null, weeks: [told('2026-05-18', null, null)] })).toBe(null);
  expect(meanOf(null)).toBe(null);
});

test('what_to_do_is_three_things_at_most_and_never_nothing', () => {
  const own = (rated: boolean) => ({ score: { rated } }) as Own;
  const codes = (...list: string[]) => why([], { reasons: list.map((code) => ({ code })) });
  expect(advice(own(true), codes('RECENT_BETTER'))).toEqual(['next.keep']);
  expect(advice(own(true), codes('RECYCLABLE_LOW', 'FOOD_LOW', 'HAZARD_LOW', 'RESIDUAL_LOW'))).toEqual([
    'next.hazard',
    'next.food',
    'next.residual',
  ]);
  expect(advice(own(false), null)).toEqual(['next.unrated']);
  expect(advice(own(false), codes('FEW_DAYS'))).toEqual(['next.few_days']);
  const worst = why([], { reasons: [{ code: 'WORST_DAYS', days: ['2026-05-16'] } as { code: string }] });
  expect(worstDays(worst)).toEqual(['2026-05-16']);
});

test('the_window_is_open_until_its_end_and_stands_still_while_an_objection_waits', () => {
  const edition: Told = {
    edition: 1,
    day: '2026-05-18',
    state: 'noticed',
    proposed: 'BLACK',
    warned: true,
    deadline: 1_000,
    objection: null,
  };
  expect([mayObject(edition, 999), mayObject(edition, 1_000), mayObject(null, 0)]).toEqual([
    true,
    false,
    false,
  ]);
  expect(mayObject({ ...edition, deadline: null, objection: 7 }, 0)).toBe(false);
  expect([step(edition, 999), step(edition, 1_000)]).toEqual([1, 2]);
  expect(step({ ...edition, state: 'deciding', deadline: null, objection: 7 }, 5_000)).toBe(1);
});

function person(account: string, more: Partial<Person> = {}): Person {
  return { account, since: 0, delegate: false, own: false, may_end: false, ...more };
}

test('who_may_act_is_said_of_each_and_beneath_them_what_the_reader_may_not_end_or_see', () => {
  const self = person('r-1', { own: true, may_end: true });
  const delegate = person('r-2', { delegate: true, may_end: true });
  expect(note([self])).toBe('people.alone');
  expect(note([self, delegate])).toBeNull();
  expect(note([self, person('r-3'), delegate])).toBe('people.note_family');
  const asDelegate = person('r-2', { delegate: true, own: true, may_end: true });
  expect(note([asDelegate])).toBe('people.note_delegate');
  expect([self, delegate, asDelegate, person('r-3')].map(being)).toEqual([
    'people.own',
    'people.delegate',
    'people.own_delegate',
    'people.family',
  ]);
  expect([self, delegate, asDelegate].map(after)).toEqual([
    'people.after_own',
    'people.after',
    'people.after_own_delegate',
  ]);
});
