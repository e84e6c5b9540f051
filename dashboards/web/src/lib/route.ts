/**
 * What a link may carry: a page, and on it an estate, stations, a measure, a range and a day, an edition. Never a household: an
 * address bar is remembered, synchronised and shown to whoever looks over a shoulder.
 */
const KEYS = ['estate', 'station', 'with', 'measure', 'range', 'day', 'step', 'edition', 'tab'] as const;
type Key = (typeof KEYS)[number];
export type Route = { page?: string } & { [K in Key]?: string | undefined };

/** A word of the page's own. */
const VALUE = /^[A-Za-z0-9_-]{1,64}$/;
/** What the register takes as the name of an estate or a station (`names_a_place` in services/ledger). */
const PLACE = /^\P{Cc}{1,64}$/u;
/** Stations that one chart shows beside the first one. */
export const BESIDE_MOST = 3;

/** Stations in one value: `~` stands between them, and is written otherwise within a name. */
export const together = (stations: readonly string[]): string =>
  stations.map((name) => name.replaceAll('%', '%25').replaceAll('~', '%7E')).join('~');
export const apart = (value: string): string[] =>
  value.split('~').map((name) => name.replaceAll('%7E', '~').replaceAll('%25', '%'));

function fits(key: Key, value: string): boolean {
  if (key === 'estate' || key === 'station') return PLACE.test(value);
  if (key !== 'with') return VALUE.test(value);
  const names = apart(value);
  return names.length <= BESIDE_MOST && names.every((name) => PLACE.test(name));
}

/** Reads "#/station?station=st01&range=7d"; unknown keys and odd values are dropped. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const given = new URLSearchParams(query);
  const route: Route = {};
  if (VALUE.test(path)) route.page = path;
  for (const key of KEYS) {
    const value = given.get(key);
    if (value !== null && fits(key, value)) route[key] = value;
  }
  return route;
}

/** The inverse: the same keys in the same order, nothing else. */
export function formatRoute(route: Route): string {
  const out = new URLSearchParams();
  for (const key of KEYS) {
    const value = route[key];
    if (value !== undefined && fits(key, value)) out.set(key, value);
  }
  const text = out.toString();
  const page = route.page !== undefined && VALUE.test(route.page) ? route.page : '';
  return page || text ? `#/${page}${text ? `?${text}` : ''}` : '';
}
