/**
 * The live list: newest first, never longer than its bound, held still while paused. Pure: every function
 * returns a new feed.
 */
import type { LiveDeposit } from './api';

export const FEED_LIMIT = 50;

export interface Entry {
  key: string;
  deposit: LiveDeposit;
}

export interface Feed {
  shown: readonly Entry[];
  /** What arrived while paused, newest first; as bounded as the list. */
  held: readonly Entry[];
  /** How many arrived while paused, including those the bound has dropped. */
  heldCount: number;
  paused: boolean;
}

export const EMPTY_FEED: Feed = { shown: [], held: [], heldCount: 0, paused: false };

/** The same deposit from the first fill and from the stream has the same key. */
export function entryOf(deposit: LiveDeposit): Entry {
  const { at, device, stream, weight_g, by, household } = deposit;
  return { key: [at, device, stream, weight_g, by, household ?? ''].join('|'), deposit };
}

function merge(newer: readonly Entry[], older: readonly Entry[]): Entry[] {
  const seen = new Set<string>();
  const all = [...newer, ...older].filter(({ key }) => !seen.has(key) && seen.add(key));
  return all.slice(0, FEED_LIMIT);
}

/** Deposits as they arrive, oldest first. */
export function arrive(feed: Feed, deposits: readonly LiveDeposit[]): Feed {
  const newer = deposits.map(entryOf).reverse();
  if (!feed.paused) return { ...feed, shown: merge(newer, feed.shown) };
  return { ...feed, held: merge(newer, feed.held), heldCount: feed.heldCount + deposits.length };
}

/** The first fill, newest first: it goes below whatever the stream has brought already. */
export function fill(feed: Feed, deposits: readonly LiveDeposit[]): Feed {
  return { ...feed, shown: merge(feed.shown, deposits.map(entryOf)) };
}

export function pause(feed: Feed): Feed {
  return { ...feed, paused: true };
}

export function resume(feed: Feed): Feed {
  return { shown: merge(feed.held, feed.shown), held: [], heldCount: 0, paused: false };
}
