import { expect, test } from 'vitest';
import { slots } from '../src/lib/i18n/format';
import { ask, EVERY_MS, pause, tokenIn } from '../src/screen/ask';
import { en } from '../src/screen/i18n/en';
import { zh, type Key } from '../src/screen/i18n/zh';
import {
  change,
  foremost,
  groupOf,
  percents,
  programme,
  textSize,
  weeks,
  type Day,
  type Estate,
  type BuildingGroup,
  type ScreenData,
} from '../src/screen/model';
import { settingsIn } from '../src/screen/settings';

const group = (building: string, households: number, rated: number | null): BuildingGroup => ({
  building,
  label: `${building}幢`,
  too_few: rated === null,
  figures: rated === null ? null : { households, rated, score: 80, low: 70, high: 90, rank: 1 },
});

const estate = (id: string, items: BuildingGroup[] | null): Estate => ({
  id,
  name: id,
  households: 100,
  plan: {
    width: 10,
    height: 10,
    buildings: [
      { id: 'b1', label: '1幢', x: 0, y: 0, w: 1, h: 1 },
      { id: '2', label: '2幢', x: 2, y: 0, w: 1, h: 1 },
    ],
  },
  groups: items && { day: '2026-05-21', edition: 4, whole: null, items },
});

const days = (weights: number[]): Day[] =>
  weights.map((weight_kg, i) => ({
    day: `2026-05-${String(i + 1).padStart(2, '0')}`,
    deposits: 1,
    weight_kg,
    streams: [],
  }));

const data = (estates: Estate[]): ScreenData => ({
  site: { name: '和睦新村', zone: 'Asia/Shanghai', now: 0, speed: 1, demo: false, version: '0.1.0' },
  days: days([1]),
  inspected_today: 0,
  households: { registered: 1, active_28d: 1 },
  devices: { known: 1, online: 1 },
  stations: 1,
  records: 1,
  estates,
});

test('both_dictionaries_of_the_screen_have_the_same_keys_and_ask_for_the_same', () => {
  const keys = Object.keys(zh) as Key[];
  expect(Object.keys(en).sort()).toEqual([...keys].sort());
  for (const key of keys) {
    expect(zh[key].trim(), key).not.toBe('');
    expect(en[key], key).not.toMatch(/\p{Script=Han}|^\s*$/u);
    // A building is named by its label in Chinese and by its number in English.
    if (key !== 'building') expect(slots(en[key]), key).toEqual(slots(zh[key]));
  }
});

test('a_building_is_found_by_its_id_or_by_what_is_written_on_it', () => {
  const one = estate('a', [group('1幢', 20, 15), group('2', 20, null)]);
  const [first, second] = one.plan!.buildings;
  expect(groupOf(one, first!)?.figures?.rated).toBe(15);
  expect(groupOf(one, second!)?.too_few).toBe(true);
  expect(groupOf(estate('a', null), first!)).toBeUndefined();
});

test('buildings_are_ranked_by_the_share_that_takes_part_and_hidden_ones_are_in_no_place', () => {
  const a = estate('a', [group('1', 30, 20), group('2', 3, null), group('3', 20, 15)]);
  const b = estate('b', [group('1', 60, 40), group('2', 20, 10)]);
  const places = foremost([a, b], 3).map((p) => `${p.estate} ${p.label} ${p.rated}/${p.households}`);
  // Two thirds are two thirds, of 60 households as of 30; more households are named first.
  expect(places).toEqual(['a 3幢 15/20', 'b 1幢 40/60', 'a 1幢 20/30']);
  expect(foremost([estate('a', null)], 3)).toEqual([]);
});

test('a_buildings_number_is_as_high_as_there_is_room_for', () => {
  const at = (y: number) => ({ id: String(y), label: '', x: 0, y, w: 10, h: 5 });
  expect(textSize({ width: 480, height: 480, buildings: [at(0), at(100)] })).toBe(20);
  expect(textSize({ width: 480, height: 480, buildings: [at(0), at(10), at(100)] })).toBeCloseTo(4.6);
  expect(textSize({ width: 480, height: 480, buildings: [] })).toBe(20);
});

test('a_week_is_seven_whole_days_and_today_is_in_none', () => {
  const { last, before } = weeks(days([9, 1, 1, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 500].slice(1)));
  expect([before.weight_kg, last.weight_kg]).toEqual([7, 14]);
  expect(change(14, 7)).toBe(100);
  expect(change(5, 0)).toBeNull();
});

test('percents_add_up_to_a_hundred', () => {
  for (const values of [[1, 1, 1], [1, 2, 3, 1], [999, 1, 0, 0], [7]]) {
    expect(percents(values).reduce((a, b) => a + b, 0)).toBe(100);
  }
  expect(percents([0, 0])).toEqual([0, 0]);
});

test('a_scene_without_anything_to_show_is_left_out', () => {
  const scenes = (estates: Estate[]) => programme(data(estates)).map((s) => s.scene);
  expect(scenes([])).toEqual(['today', 'fortnight', 'programme']);
  expect(scenes([estate('a', null), estate('b', [group('1', 20, 15)])])).toEqual([
    'today',
    'plan',
    'plan',
    'fortnight',
    'buildings',
    'programme',
  ]);
});

test('the_token_is_read_from_behind_the_hash_alone', () => {
  expect(tokenIn('#token=hemu_1')).toBe('hemu_1');
  expect(tokenIn('')).toBeNull();
  expect(tokenIn('#token=')).toBeNull();
  expect(tokenIn('#other=1')).toBeNull();
});

test('the_token_travels_in_a_header_without_cookies_and_what_is_known_is_named', async () => {
  const asked: { url: string; init: RequestInit }[] = [];
  const answer = (response: () => Response | Promise<Response>) =>
    ((url: string, init: RequestInit) => {
      asked.push({ url, init });
      return Promise.resolve(response());
    }) as unknown as typeof fetch;
  const news = await ask(
    'hemu_1',
    null,
    answer(() => Response.json(data([]), { headers: { etag: '"1"' } })),
  );
  expect(news.kind === 'news' && news.tag).toBe('"1"');
  const same = await ask(
    'hemu_1',
    '"1"',
    answer(() => new Response(null, { status: 304 })),
  );
  expect(same.kind).toBe('same');
  expect(asked.map(({ url }) => url)).toEqual(['/api/v1/screen', '/api/v1/screen']);
  expect(asked[1]?.init.headers).toEqual({ authorization: 'Bearer hemu_1', 'if-none-match': '"1"' });
  expect(asked.every(({ init }) => init.credentials === 'omit')).toBe(true);
  const kind = async (response: () => Response | Promise<Response>) =>
    (await ask('hemu_1', null, answer(response))).kind;
  expect(await kind(() => new Response('', { status: 401 }))).toBe('refused');
  expect(await kind(() => new Response('', { status: 503 }))).toBe('silent');
  expect(await kind(() => new Response('<html>'))).toBe('silent');
  expect(await kind(() => Promise.reject(new TypeError('no network')))).toBe('silent');
});

test('a_server_that_does_not_answer_is_asked_less_and_less_but_every_minute', () => {
  expect([0, 1, 2, 3].map(pause)).toEqual([EVERY_MS, 10_000, 20_000, 40_000]);
  expect(pause(4)).toBe(60_000);
  expect(pause(4_000)).toBe(60_000);
});

test('whoever_hangs_the_screen_chooses_language_scene_and_pace', () => {
  expect(settingsIn('', 'zh-CN')).toEqual({ langs: ['zh'], only: null, seconds: 15 });
  expect(settingsIn('?lang=en&scene=plan&seconds=30', 'zh')).toEqual({
    langs: ['en'],
    only: 'plan',
    seconds: 30,
  });
  expect(settingsIn('?lang=both', 'de').langs).toEqual(['zh', 'zh', 'en']);
  expect(settingsIn('?scene=x&seconds=0', 'de')).toEqual({ langs: ['en'], only: null, seconds: 15 });
});
