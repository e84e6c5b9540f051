import { expect, test } from 'vitest';
import type { Device, Station } from '../src/lib/api';
import { fullBins, isAway, needsOf, sinceAtLeast, type Answers } from '../src/lib/needs';

const ZONE = 'Asia/Shanghai';
const NOON = Date.parse('2026-05-20T12:00:00+08:00');
const HOUR = 3_600_000;
const NOTHING: Answers = {
  editions: null,
  objections: null,
  incidents: null,
  devices: null,
  stations: null,
  bags: null,
  fullSince: {},
};
const needs = (answers: Partial<Answers>) => needsOf({ ...NOTHING, ...answers }, NOON, ZONE, '2026-05-20');

const device = (change: Partial<Device>): Device => ({
  id: 'st01',
  estate: null,
  station: 's01',
  state: 'online',
  connected: true,
  last_at: NOON,
  boot: '1',
  upto: 1,
  missing: [],
  firmware: '1.0',
  battery_mv: 3000,
  rssi_dbm: null,
  temperature_c: null,
  queued: 0,
  records: 1,
  quarantined: 0,
  conflicts: 0,
  frozen: [],
  held: 0,
  revoked: false,
  ...change,
});
const station = (fill: number | null): Station => ({
  id: 's01',
  name: '1号',
  estate: 'e',
  x: null,
  y: null,
  devices: ['st01'],
  state: 'online',
  last_at: NOON,
  bins: [
    { stream: 'food', fill, weight_g: null },
    { stream: 'residual', fill: 0.2, weight_g: null },
  ],
  deposits_today: 0,
  attributed_today: 0,
  last_deposit_at: null,
});
const edition = (id: number, state: string, change = {}) => ({
  id,
  day: '2026-05-18',
  revision: 1,
  state,
  proposed_at: NOON - 48 * HOUR,
  deadline: null,
  counts: { red: 3, black: 1, grey: 5, unrated: 0 },
  ...change,
});

test('nothing_asked_for_is_nothing_to_do', () => {
  expect(needs({})).toEqual([]);
  expect(needs({ editions: [], objections: [], incidents: [], devices: [device({})], bags: [] })).toEqual([]);
});

test('an_objection_has_the_end_of_its_editions_window', () => {
  const deadline = NOON + 5 * HOUR;
  const [row] = needs({
    editions: [edition(7, 'noticed', { deadline })],
    objections: [
      { id: 1, edition: 7, at: NOON - HOUR },
      { id: 2, edition: 7, at: NOON - 2 * HOUR },
    ],
  });
  expect(row).toMatchObject({ id: 'objections', count: 2, oldest: NOON - 2 * HOUR, due: deadline });
  expect(row?.items[0]?.go).toEqual({ page: 'objections' });
});

test('a_draft_is_due_when_the_next_weeks_edition_is', () => {
  const [row] = needs({ editions: [edition(7, 'draft')] });
  expect(row).toMatchObject({ id: 'drafts', count: 1, due: Date.parse('2026-05-25T00:00:00+08:00') });
});

test('what_is_overdue_comes_first', () => {
  const rows = needs({
    editions: [edition(7, 'deciding'), edition(8, 'draft', { day: '2026-05-04' })],
  });
  expect(rows.map(({ id }) => id)).toEqual(['drafts', 'deciding']);
});

test('a_device_in_the_hand_is_missed_only_when_it_is_offline', () => {
  const hand = { firmware: null, battery_mv: null, queued: null };
  expect(isAway(device({ state: 'silent' }))).toBe(true);
  expect(isAway(device({ state: 'silent', ...hand }))).toBe(false);
  expect(isAway(device({ state: 'offline', ...hand }))).toBe(true);
  expect(isAway(device({ state: 'offline', revoked: true }))).toBe(false);
});

test('old_incidents_are_over', () => {
  const incident = { device: 'st01', kind: 'smoke', stream: null };
  const rows = needs({
    incidents: [
      { ...incident, at: NOON - HOUR },
      { ...incident, at: NOON - 25 * HOUR },
    ],
    stations: [station(0)],
  });
  expect(rows).toHaveLength(1);
  expect(rows[0]).toMatchObject({ id: 'incidents', count: 1, oldest: NOON - HOUR });
  expect(rows[0]?.items[0]?.go).toEqual({ page: 'station', station: 's01' });
});

test('a_bin_is_nearly_full_from_its_threshold_on_and_says_since_when', () => {
  expect(fullBins([station(0.849), station(null)])).toEqual([]);
  const rows = needs({ stations: [station(0.85)], fullSince: { 's01 food': NOON - HOUR } });
  expect(rows[0]).toMatchObject({ id: 'bins', count: 1, oldest: NOON - HOUR });
});

test('full_since_is_the_beginning_of_the_last_unbroken_stretch', () => {
  const points = (...values: number[]) => values.map((value, i): [number, number] => [i, value]);
  expect(sinceAtLeast(points(0.9, 0.2, 0.85, 0.9), 0.85)).toBe(2);
  expect(sinceAtLeast(points(0.9, 0.2), 0.85)).toBe(null);
  expect(sinceAtLeast([], 0.85)).toBe(null);
});

test('bags_are_summed_and_are_for_today', () => {
  const [row] = needs({
    bags: [
      { station: 's01', open: 3, twice: 1 },
      { station: 's02', open: 0, twice: 0 },
    ],
  });
  expect(row).toMatchObject({ id: 'bags', count: 4, due: Date.parse('2026-05-21T00:00:00+08:00') });
  expect(row?.items).toHaveLength(1);
});

test('a_frozen_boot_says_how_many_readings_wait', () => {
  const [row] = needs({ devices: [device({ frozen: ['9'], held: 12 })] });
  expect(row?.items[0]?.params).toEqual({ device: 'st01', boots: 1, held: 12 });
});
