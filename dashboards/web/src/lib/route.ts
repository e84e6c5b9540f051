/**
 * What a link may carry: a page, and on it an estate, a station, a measure, a range, an edition. Never a household: an
 * address bar is remembered, synchronised and shown to whoever looks over a shoulder.
 */
const KEYS = ['estate', 'station', 'measure', 'range', 'step', 'edition', 'tab'] as const;
type Key = (typeof KEYS)[number];
export type Route = { page?: string } & Partial<Record<Key, string>>;

const VALUE = /^[A-Za-z0-9_-]{1,64}$/;

/** Reads "#/station?station=st01&range=7d"; unknown keys and odd values are dropped. */
export function parseRoute(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?');
  const given = new URLSearchParams(query);
  const route: Route = {};
  if (VALUE.test(path)) route.page = path;
  for (const key of KEYS) {
    const value = given.get(key);
    if (value !== null && VALUE.test(value)) route[key] = value;
  }
  return route;
}

/** The inverse: the same keys in the same order, nothing else. */
export function formatRoute(route: Route): string {
  const out = new URLSearchParams();
  for (const key of KEYS) {
    const value = route[key];
    if (value !== undefined && VALUE.test(value)) out.set(key, value);
  }
  const text = out.toString();
  const page = route.page !== undefined && VALUE.test(route.page) ? route.page : '';
  return page || text ? `#/${page}${text ? `?${text}` : ''}` : '';
}
