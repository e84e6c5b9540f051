/**
 * Finding what this page knows already: pages, stations, devices, buildings, editions. Pure. Households are the server's to
 * find, and nothing of what was typed is kept.
 */
import type { Building, Device, Station } from './api';

export type HitKind = 'page' | 'household' | 'station' | 'device' | 'building' | 'edition';

export interface Hit {
  kind: HitKind;
  /** Unique within its kind. */
  id: string;
  title: string;
  note: string;
}

export interface Known {
  pages: readonly { id: string; title: string }[];
  stations: readonly Station[];
  devices: readonly Device[];
  buildings: readonly Building[];
  editions: readonly { id: number; day: string; state: string }[];
}

/** Of each kind, at most. */
export const PER_KIND = 5;
/** Fewer characters would find half of the estate. */
export const HOUSEHOLD_LEAST = 2;

/** Full-width digits and letters as a Chinese keyboard writes them, case and spaces aside. */
export function plain(text: string): string {
  return text.normalize('NFKC').toLowerCase().replace(/\s+/gu, ' ').replaceAll('—', '-').trim();
}

/** Better is lower: the whole, a beginning, somewhere in it; null: not there. */
function rank(query: string, texts: readonly string[]): number | null {
  let best: number | null = null;
  for (const text of texts.map(plain)) {
    const at = text.indexOf(query);
    if (at < 0) continue;
    const found = text === query ? 0 : at === 0 ? 1 : 2;
    best = best === null ? found : Math.min(best, found);
  }
  return best;
}

function best<T>(
  query: string,
  things: readonly T[],
  texts: (thing: T) => string[],
  hit: (thing: T) => Hit,
): Hit[] {
  return things
    .flatMap((thing) => {
      const found = rank(query, texts(thing));
      return found === null ? [] : [{ found, hit: hit(thing) }];
    })
    .sort((a, b) => a.found - b.found)
    .slice(0, PER_KIND)
    .map(({ hit }) => hit);
}

/** What fits, by kind, the best of each first. Nothing for nothing typed but the pages. */
export function find(typed: string, known: Known): Hit[] {
  const query = plain(typed);
  const pages = best(
    query,
    known.pages,
    (p) => [p.title, p.id],
    (p) => ({ kind: 'page', id: p.id, title: p.title, note: '' }),
  );
  if (query === '')
    return known.pages.map(({ id, title }) => ({ kind: 'page' as const, id, title, note: '' }));
  return [
    ...pages,
    ...best(
      query,
      known.stations,
      (s) => [s.id, s.name],
      (s) => ({ kind: 'station', id: s.id, title: s.name, note: s.id }),
    ),
    ...best(
      query,
      known.buildings,
      (b) => [b.id, b.label],
      (b) => ({ kind: 'building', id: b.id, title: b.label, note: '' }),
    ),
    ...best(
      query,
      known.devices,
      (d) => [d.id],
      (d) => ({ kind: 'device', id: d.id, title: d.id, note: d.station ?? '' }),
    ),
    ...best(
      query,
      known.editions,
      (e) => [e.day, `#${e.id}`],
      (e) => ({ kind: 'edition', id: String(e.id), title: e.day, note: e.state }),
    ),
  ];
}

/** Whether the server is asked for households: a code's beginning, or digits and dashes of a door. */
export const asksForHouseholds = (typed: string) => plain(typed).length >= HOUSEHOLD_LEAST;
