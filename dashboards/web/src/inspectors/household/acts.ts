/** What may be done about a household and its readings, as the page asks for it. */
import type { Ask } from '../../lib/acts.svelte';
import type { Deposit, HouseholdPerson, HouseholdRow } from '../../lib/api';
import { visible } from '../../lib/text';
import { midnight } from '../../lib/time';

/** The site's day and zone: a card is lost since a day, not since a minute. */
export interface Here {
  today: string;
  zone: string;
}

const plain = { fields: [], body: () => ({}) } as const;

export function cardLost(home: HouseholdRow, here: Here): Ask {
  return {
    id: `card-lost ${home.id}`,
    title: ['house.card_lost', { who: home.label }],
    says: [['house.card_lost.says'], ['house.recomputed']],
    fields: [{ name: 'since', label: 'house.since_day', kind: 'day', value: here.today, most: here.today }],
    go: 'house.card_lost.go',
    grave: true,
    path: ['households', home.id, 'card-lost'],
    body: ({ since = here.today }) => ({ since: midnight(since, here.zone) }),
    done: ['house.card_lost.done', { who: home.label }],
    undo: () => cardFound(home, here),
  };
}

export function cardFound(home: HouseholdRow, here: Here): Ask {
  return {
    ...plain,
    id: `card-found ${home.id}`,
    title: ['house.card_found', { who: home.label }],
    says: [['house.card_found.says'], ['house.recomputed']],
    go: 'house.card_found.go',
    path: ['households', home.id, 'card-found'],
    done: ['house.card_found.done', { who: home.label }],
    undo: () => cardLost(home, here),
  };
}

/** Consent to be praised in public: given by the household, recorded by an officer. */
export function praise(home: HouseholdRow, given: boolean): Ask {
  const way = given ? 'in' : 'out';
  return {
    ...plain,
    id: `red-opt-${way} ${home.id}`,
    title: [`house.red_${way}`, { who: home.label }],
    says: [[`house.red_${way}.says`], ['house.in_the_trail']],
    go: `house.red_${way}.go`,
    path: ['households', home.id, `red-opt-${way}`],
    done: [`house.red_${way}.done`, { who: home.label }],
    undo: () => praise(home, !given),
  };
}

export function printCode(home: HouseholdRow): Ask {
  return {
    ...plain,
    id: `code ${home.id}`,
    title: ['house.code', { who: home.label }],
    says: [['house.code.says'], ['house.code.void']],
    go: 'house.code.go',
    path: ['households', home.id, 'code'],
    done: ['house.code.done', { who: home.label }],
  };
}

/** That an account acts for the household. */
export function revoke(home: HouseholdRow, { account, delegate }: HouseholdPerson): Ask {
  const who = { account: visible(account), who: home.label };
  return {
    id: `revoke ${home.id} ${account}`,
    title: ['house.people.end_title', who],
    says: [[delegate ? 'house.people.end_delegate' : 'house.people.end_own'], ['house.in_the_trail']],
    fields: [],
    go: 'house.people.end',
    grave: true,
    path: ['households', home.id, 'people', account],
    body: null,
    done: ['house.people.ended', who],
  };
}

/** `what` names the reading as the list does. */
export function strike(reading: Deposit, what: string): Ask {
  return {
    id: `strike ${reading.place}`,
    title: ['house.strike', { what }],
    says: [['house.strike.says'], ['house.recomputed']],
    fields: [
      { name: 'reason', label: 'lists.field.reason', kind: 'words', hint: ['lists.field.reason.hint'] },
    ],
    go: 'house.strike.go',
    grave: true,
    path: ['readings', reading.place, 'strike'],
    body: ({ reason = '' }) => ({ reason }),
    done: ['house.strike.done', { what }],
    undo: () => restore(reading, what),
  };
}

export function restore(reading: Deposit, what: string): Ask {
  return {
    ...plain,
    id: `restore ${reading.place}`,
    title: ['house.restore', { what }],
    says: [['house.restore.says'], ['house.recomputed']],
    go: 'house.restore.go',
    path: ['readings', reading.place, 'restore'],
    done: ['house.restore.done', { what }],
    undo: () => strike(reading, what),
  };
}

/** That the time of a reading is right, though its device's clock was ahead when it came. */
export function checkClock(reading: Deposit, what: string): Ask {
  return {
    ...plain,
    id: `clock ${reading.place}`,
    title: ['house.clock', { what }],
    says: [['house.clock.says'], ['house.clock.final'], ['house.recomputed']],
    go: 'house.clock.go',
    grave: true,
    path: ['readings', reading.place, 'clock-checked'],
    done: ['house.clock.done', { what }],
  };
}
