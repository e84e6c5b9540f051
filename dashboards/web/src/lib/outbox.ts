/**
 * What an inspector found in bags, on its way to the server: kept on the phone until the server says that it is stored.
 * Pure: time and randomness are arguments, and where it is kept is for `outbox_store.ts` to know.
 *
 * A reading's identity is (the account, boot, seq). `boot` is drawn once; `seq` counts from 1 without gaps. A number is given
 * only when a reading is about to be sent for the first time, so that one that is taken back leaves no gap; from then on
 * neither the number nor the content changes, and sending it again is harmless.
 */
import type { Stream } from './streams';

/** How long a reading can be taken back before it is sent, ms. */
export const GRACE_MS = 10_000;
/** Most readings of one request: well below the server's 256 and its 64 KiB, with the longest codes and photos there can be. */
export const BATCH_MOST = 32;
/** Most that wait; more are refused rather than lost. */
export const WAITING_MOST = 1_000;
/** Most that are shown after they were stored, without whose they were. */
const SETTLED_MOST = 50;

/** A bag as it was graded. `at` is the site's time. */
export interface Grading {
  at: number;
  household: string | null;
  bag: string | null;
  stream: Stream;
  weight_g: number;
  quality: number;
  /** What a picture of it is called where it is kept. */
  photo: string | null;
}

/** What became of a photo's name beside a reading that is stored. */
export type Named = 'noted' | 'first_stays' | 'not_kept';

export type State = 'waiting' | 'stored' | 'quarantined' | 'conflict';

export interface Item extends Grading {
  id: number;
  /** When it may be sent, by the phone's clock. */
  due: number;
  boot: number | null;
  seq: number | null;
  state: State;
  /** What the server said of one that it set aside. */
  reason: string | null;
  detail: string | null;
  named: Named | null;
}

export interface Outbox {
  /** The account whose readings these are. */
  owner: string | null;
  boot: number | null;
  /** The next number of the boot. */
  next: number;
  lastId: number;
  items: readonly Item[];
  /** Stored since this phone was logged in. */
  stored: number;
  /** The name under which the server has them, known from its first answer. */
  device: string | null;
}

/** What the server answers to a batch. */
export interface Recorded {
  device: string;
  boot: string;
  upto: number;
  missing: [number, number][];
  judged: boolean;
  readings: {
    seq: number;
    outcome: 'stored' | 'repeat' | 'quarantined' | 'conflict';
    reason?: string;
    detail?: string;
    photo?: Named | 'later';
  }[];
}

/** A reading as the server takes it. */
export type Sent = Omit<Grading, 'household' | 'bag' | 'photo'> & {
  boot: number;
  seq: number;
  by: 'inspector';
  household?: string;
  bag?: string;
  photo?: string;
};

export const EMPTY: Outbox = {
  owner: null,
  boot: null,
  next: 1,
  lastId: 0,
  items: [],
  stored: 0,
  device: null,
};

export interface Counts {
  waiting: number;
  stored: number;
  refused: number;
}

const isWaiting = (item: Item) => item.state === 'waiting';

export function counts(box: Outbox): Counts {
  const waiting = box.items.filter(isWaiting).length;
  const stored = box.items.filter((item) => item.state === 'stored').length;
  return { waiting, stored: box.stored, refused: box.items.length - waiting - stored };
}

/** Whether somebody else's readings wait on this phone: they are theirs to send. */
export function isOthers(box: Outbox, account: string): boolean {
  return box.owner !== null && box.owner !== account && box.items.some(isWaiting);
}

/** The outbox of an account: another's that has nothing waiting gives way, with its numbers. */
export function ownedBy(box: Outbox, account: string): Outbox {
  if (box.owner === account || isOthers(box, account)) return box;
  return { ...EMPTY, owner: account };
}

/** Adds a reading, to be sent when its grace is over; null when too many wait. */
export function add(box: Outbox, grading: Grading, now: number): Outbox | null {
  if (counts(box).waiting >= WAITING_MOST) return null;
  const item: Item = {
    ...grading,
    id: box.lastId + 1,
    due: now + GRACE_MS,
    boot: null,
    seq: null,
    state: 'waiting',
    reason: null,
    detail: null,
    named: null,
  };
  return { ...box, lastId: item.id, items: [...box.items, item] };
}

/** Takes a reading back that was never sent; one that has a number stays. */
export function undo(box: Outbox, id: number): Outbox {
  return { ...box, items: box.items.filter((item) => item.id !== id || item.seq !== null) };
}

/** Ends the grace of all that wait: nobody can take them back any more. */
export function hurry(box: Outbox, now: number): Outbox {
  const soon = (item: Item) => (isWaiting(item) ? { ...item, due: Math.min(item.due, now) } : item);
  return { ...box, items: box.items.map(soon) };
}

/**
 * Numbers what is due, in the order in which it was graded. Nothing overtakes: one that can still be taken back holds up
 * those after it, which cannot be long.
 */
export function seal(box: Outbox, now: number, draw: () => number): Outbox {
  let { boot, next } = box;
  let held = false;
  const items = box.items.map((item) => {
    if (!isWaiting(item) || item.seq !== null) return item;
    // A phone's clock may be set back: no grace is longer than grace.
    held ||= item.due > now && item.due - now <= GRACE_MS;
    if (held) return item;
    boot ??= draw();
    return { ...item, boot, seq: next++ };
  });
  return { ...box, boot, next, items };
}

/** The next readings to send, of one boot; empty when none has a number. */
export function batch(box: Outbox): Sent[] {
  const ready = box.items.filter((item) => isWaiting(item) && item.seq !== null);
  const first = ready[0]?.boot ?? null;
  return ready
    .filter((item) => item.boot === first)
    .slice(0, BATCH_MOST)
    .map(sent);
}

function sent(item: Item): Sent {
  const { at, stream, weight_g, quality, boot, seq, household, bag, photo } = item;
  return {
    boot: boot ?? 0,
    seq: seq ?? 0,
    at,
    stream,
    weight_g,
    quality,
    by: 'inspector',
    ...(household === null ? {} : { household }),
    ...(bag === null ? {} : { bag }),
    // What an earlier version kept has none.
    ...(photo ? { photo } : {}),
  };
}

/** The last characters of a household's token, as the server masks it: at most half of a short one. */
export function masked(token: string): string {
  const shown = [...token];
  return `···${shown.slice(shown.length - Math.min(4, Math.floor(shown.length / 2))).join('')}`;
}

/**
 * Takes over what the server said. Whose a stored bag was and what its photo is called is forgotten; the numbers of a boot in
 * conflict are given up. One whose photo is for later stays as it is, to be sent again.
 */
export function settle(box: Outbox, answer: Recorded): Outbox {
  const fates = new Map(answer.readings.map((reading) => [reading.seq, reading]));
  let [stored, clash] = [0, false];
  const items = box.items.map((item): Item => {
    const fate = fates.get(item.seq ?? 0);
    if (!fate || !isWaiting(item) || String(item.boot) !== answer.boot) return item;
    if (fate.photo === 'later') return item;
    const state = fate.outcome === 'repeat' ? 'stored' : fate.outcome;
    if (state === 'stored') stored += 1;
    clash ||= state === 'conflict';
    const household = item.household === null || state !== 'stored' ? item.household : masked(item.household);
    const { reason = null, detail = null, photo: named = null } = fate;
    return { ...item, state, household, photo: null, reason, detail, named };
  });
  const fresh = clash && String(box.boot) === answer.boot ? { boot: null, next: 1 } : {};
  return { ...box, ...fresh, device: answer.device, stored: box.stored + stored, items: kept(items) };
}

/** Removes one that was set aside, once it was read. */
export function dismiss(box: Outbox, id: number): Outbox {
  const gone = (item: Item) => item.id === id && (item.state === 'quarantined' || item.state === 'conflict');
  return { ...box, items: box.items.filter((item) => !gone(item)) };
}

function kept(items: Item[]): Item[] {
  let old = items.filter((item) => item.state === 'stored').length - SETTLED_MOST;
  return items.filter((item) => item.state !== 'stored' || old-- <= 0);
}
