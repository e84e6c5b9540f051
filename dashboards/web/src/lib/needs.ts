/**
 * What waits for somebody: the rows of "what needs me now", from what the server answered. Pure. What a row leaves out for
 * want of a right was never asked for.
 */
import type { Device, Station } from './api';
import type { Key } from './i18n';
import type { Params } from './i18n/format';
import type { Route } from './route';
import { HOUR, addDays, midnight } from './time';

/** A bin is nearly full from here on. */
export const NEARLY_FULL = 0.85;
/** Incidents have no end that anybody notes: those of this time are shown. */
export const INCIDENT_MS = 24 * HOUR;
/** Editions are computed once a week: a notice is late when the next one is due. */
const WEEK = 7;

export type NeedId =
  'objections' | 'deciding' | 'drafts' | 'incidents' | 'frozen' | 'devices' | 'bins' | 'bags';

export interface EditionLine {
  id: number;
  day: string;
  revision: number;
  state: string;
  proposed_at: number;
  deadline: number | null;
  counts: { red: number; black: number; grey: number; unrated: number };
}

export interface ObjectionLine {
  id: number;
  edition: number;
  at: number;
}

export interface IncidentLine {
  at: number;
  device: string;
  kind: string;
  stream: string | null;
}

/** The bags to open at one station today. */
export interface StationBags {
  station: string;
  open: number;
  twice: number;
}

export interface NeedItem {
  key: string;
  text: Key;
  params: Params;
  since: number | null;
  due: number | null;
  go: Route;
}

export interface Need {
  id: NeedId;
  count: number;
  items: NeedItem[];
  oldest: number | null;
  due: number | null;
  go: Route;
}

/** What was answered; null: not asked for, or not answered yet. */
export interface Answers {
  editions: EditionLine[] | null;
  objections: ObjectionLine[] | null;
  incidents: IncidentLine[] | null;
  devices: Device[] | null;
  stations: Station[] | null;
  bags: StationBags[] | null;
  /** Since when a bin has been nearly full, by station and stream. */
  fullSince: Readonly<Record<string, number>>;
}

/** A device that tells how it is; one in an inspector's hand speaks only when a bag is opened. */
const reports = (d: Device) => d.firmware !== null || d.battery_mv !== null || d.queued !== null;

/** Whether somebody should look after it: it is away, or stopped telling how it is. */
export function isAway(d: Device): boolean {
  return !d.revoked && (d.state === 'offline' || (d.state === 'silent' && reports(d)));
}

export const binKey = (station: string, stream: string) => `${station} ${stream}`;

/** Bins that are nearly full, the fullest first. */
export function fullBins(stations: readonly Station[]): { station: Station; stream: string; fill: number }[] {
  const bins = stations.flatMap((station) =>
    station.bins.flatMap(({ stream, fill }) =>
      fill !== null && fill >= NEARLY_FULL ? [{ station, stream, fill }] : [],
    ),
  );
  return bins.sort((a, b) => b.fill - a.fill);
}

/** The beginning of the last unbroken stretch of values of at least `least`; null where the last value is lower. */
export function sinceAtLeast(points: readonly (readonly [number, number])[], least: number): number | null {
  let since: number | null = null;
  for (const [at, value] of points) {
    if (value < least) since = null;
    else since ??= at;
  }
  return since;
}

function need(id: NeedId, items: NeedItem[], go: Route): Need[] {
  if (items.length === 0) return [];
  const least = (times: (number | null)[]) => {
    const known = times.filter((time) => time !== null);
    return known.length === 0 ? null : Math.min(...known);
  };
  const oldest = least(items.map((item) => item.since));
  return [{ id, count: items.length, items, oldest, due: least(items.map((item) => item.due)), go }];
}

const list = (edition: EditionLine): Route => ({ page: 'lists', edition: String(edition.id) });

function editionItem(text: Key, edition: EditionLine, since: number, due: number | null): NeedItem {
  const { day, revision, counts } = edition;
  const params = { day, revision, red: counts.red, black: counts.black };
  return { key: `e${edition.id}`, text, params, since, due, go: list(edition) };
}

function ofLists({ editions, objections }: Answers, zone: string): Need[] {
  const all = editions ?? [];
  const window = (id: number) => all.find((e) => e.id === id)?.deadline ?? null;
  const waiting = (objections ?? []).map((o): NeedItem => {
    const day = all.find((e) => e.id === o.edition)?.day ?? `#${o.edition}`;
    const go = { page: 'objections' };
    const params = { id: o.id, day };
    return { key: `o${o.id}`, text: 'need.objection', params, since: o.at, due: window(o.edition), go };
  });
  const deciding = all.filter((e) => e.state === 'deciding');
  const drafts = all.filter((e) => e.state === 'draft');
  return [
    ...need('objections', waiting, { page: 'objections' }),
    ...need(
      'deciding',
      deciding.map((e) => editionItem('need.edition', e, e.deadline ?? e.proposed_at, null)),
      { page: 'lists' },
    ),
    ...need(
      'drafts',
      drafts.map((e) => editionItem('need.edition', e, e.proposed_at, midnight(addDays(e.day, WEEK), zone))),
      { page: 'lists' },
    ),
  ];
}

function ofThings({ incidents, devices, stations, fullSince }: Answers, now: number): Need[] {
  const where = (device: string) => (stations ?? []).find((s) => s.devices.includes(device))?.id;
  const place = (device: string): Route => {
    const station = where(device);
    return station ? { page: 'station', station } : { page: 'quality', tab: 'devices' };
  };
  const recent = (incidents ?? []).filter((i) => now - i.at <= INCIDENT_MS);
  const known = devices ?? [];
  return [
    ...need(
      'incidents',
      recent.map((i, n) => ({
        key: `i${i.at}${i.device}${n}`,
        text: 'need.incident',
        params: { kind: i.kind, device: where(i.device) ?? i.device, stream: i.stream ?? '' },
        since: i.at,
        due: null,
        go: place(i.device),
      })),
      { page: 'station' },
    ),
    ...need(
      'frozen',
      known
        .filter((d) => d.frozen.length > 0)
        .map((d) => ({
          key: `f${d.id}`,
          text: 'need.frozen_device',
          params: { device: d.id, boots: d.frozen.length, held: d.held },
          since: null,
          due: null,
          go: { page: 'quality', tab: 'conflicts' },
        })),
      { page: 'quality', tab: 'conflicts' },
    ),
    ...need(
      'devices',
      known.filter(isAway).map((d) => ({
        key: `d${d.id}`,
        text: d.state === 'offline' ? 'need.offline' : 'need.silent',
        params: { device: d.id },
        since: d.last_at,
        due: null,
        go: place(d.id),
      })),
      { page: 'quality', tab: 'devices' },
    ),
    ...need(
      'bins',
      fullBins(stations ?? []).map(({ station, stream, fill }) => ({
        key: `b${station.id}${stream}`,
        text: 'need.bin',
        params: { station: station.name, stream, fill: Math.floor(fill * 100) },
        since: fullSince[binKey(station.id, stream)] ?? null,
        due: null,
        go: { page: 'station', station: station.id, measure: 'fill' },
      })),
      { page: 'station' },
    ),
  ];
}

function ofBags({ bags, stations }: Answers, now: number, zone: string, today: string): Need[] {
  const items = (bags ?? [])
    .filter((b) => b.open + b.twice > 0)
    .map((b): NeedItem => {
      const name = (stations ?? []).find((s) => s.id === b.station)?.name ?? b.station;
      const params = { station: name, n: b.open + b.twice, twice: b.twice };
      const go = { page: 'inspect', station: b.station };
      return { key: `s${b.station}`, text: 'need.bags_at', params, since: null, due: null, go };
    });
  const [row] = need('bags', items, { page: 'inspect' });
  if (!row) return [];
  const count = (bags ?? []).reduce((sum, b) => sum + b.open + b.twice, 0);
  // A draw is for its own day.
  return [{ ...row, count, due: Math.max(now, midnight(addDays(today, 1), zone)) }];
}

/** What waits, the most urgent first: whatever has a deadline by its deadline, then the rest in its order. */
export function needsOf(answers: Answers, now: number, zone: string, today: string): Need[] {
  const things = ofThings(answers, now);
  const rows = [...ofLists(answers, zone), ...things, ...ofBags(answers, now, zone, today)];
  return rows
    .map((row, place) => ({ row, place }))
    .sort((a, b) => Number(isLate(b.row, now)) - Number(isLate(a.row, now)) || a.place - b.place)
    .map(({ row }) => row);
}

/** Its time is over. */
export const isLate = ({ due }: { due: number | null }, now: number) => due !== null && due <= now;
