/**
 * What a link may carry: an estate, a station, a measure and a range. Never a household: an address bar is
 * remembered, synchronised and shown to whoever looks over a shoulder.
 */
const KEYS = ['estate', 'station', 'measure', 'range', 'step'] as const;
type Key = (typeof KEYS)[number];
export type Route = Partial<Record<Key, string>>;

const VALUE = /^[A-Za-z0-9_-]{1,64}$/;

/** Reads "#station=st01&range=7d"; unknown keys and odd values are dropped. */
export function parseRoute(hash: string): Route {
  const given = new URLSearchParams(hash.replace(/^#/, ''));
  const route: Route = {};
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
  return text ? `#${text}` : '';
}
