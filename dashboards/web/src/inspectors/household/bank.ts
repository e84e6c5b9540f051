/** What an officer may do about a household's minutes and points, as the page asks for it. */
import type { Ask, Field } from '../../lib/acts.svelte';
import type { HouseholdRow, Page } from '../../lib/api';
import { midnight } from '../../lib/time';
import type { Here } from './acts';

export interface Masked {
  household: string;
  household_id: string | null;
}

export interface Entry {
  place: string;
  at: number;
  currency: 'minutes' | 'points';
  kind: string;
  amount: number;
  pool: string | null;
  with: Masked | null;
  help: string | null;
  why: string | null;
  by: string;
  reversed: number | null;
}

export interface Service {
  id: number;
  was_helped: boolean;
  with: Masked;
  help: string;
  began: number;
  ended: number;
  minutes: number;
  state: string;
  by: string;
}

export interface Account {
  minutes: number;
  points: number;
  entries: Page<Entry>;
  services: Service[];
}

export interface Pool {
  name: string;
  points: number;
}

/** Kinds of help, as the server names them. */
export const HELP = [
  'meal',
  'company',
  'errand',
  'cleaning',
  'doctor',
  'repair',
  'sorting',
  'other',
] as const;

/** Names of requests that have no answer yet: what is sent again under its name is not done again. */
const names = new Map<string, string>();

function nameOf(id: string, body: object): string {
  const what = `${id} ${JSON.stringify(body)}`;
  let name = names.get(what);
  if (name === undefined) {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    name = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
    names.set(what, name);
  }
  return name;
}

/** Something was done: the same once more is another request. */
export function forgetNames(): void {
  names.clear();
}

/** An instant of the site's day and clock. */
export function at(day: string, time: string, zone: string): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  return midnight(day, zone) + (hour * 60 + minute) * 60_000;
}

const poolOf = (pools: readonly Pool[]): Field => ({
  name: 'pool',
  label: 'bank.pool',
  kind: 'choice',
  value: pools.length === 1 ? pools[0]!.name : '',
  options: pools.map(({ name, points }) => ({
    value: name,
    said: ['bank.pool.has', { name, n: points }] as const,
  })),
});
const help: Field = {
  name: 'help',
  label: 'bank.help',
  kind: 'choice',
  options: HELP.map((value) => ({ value, said: [`bank.help.${value}`] as const })),
};

type Values = Readonly<Record<string, string>>;
const deal = (
  home: HouseholdRow,
  what: string,
  about: string,
  body: (values: Values) => object,
): Pick<Ask, 'id' | 'path' | 'body'> => {
  const id = `bank-${what} ${about} ${home.id}`;
  const named = (values: Values) => {
    const asked = body(values);
    return { key: nameOf(id, asked), ...asked };
  };
  return { id, path: ['households', home.id, 'bank', what], body: named };
};

export function award(home: HouseholdRow, pools: readonly Pool[]): Ask {
  return {
    ...deal(home, 'award', '', ({ pool, points, reason }) => ({ pool, points: Number(points), reason })),
    title: ['bank.award', { who: home.label }],
    says: [['bank.award.says'], ['house.in_the_trail']],
    fields: [
      poolOf(pools),
      { name: 'points', label: 'bank.points', kind: 'number', least: 1, most: 1000 },
      { name: 'reason', label: 'bank.reason', kind: 'words' },
    ],
    go: 'bank.award.go',
    done: ['bank.award.done', { who: home.label }],
  };
}

export function redeem(home: HouseholdRow, pools: readonly Pool[], has: number): Ask {
  return {
    ...deal(home, 'redeem', '', ({ pool, points, reason }) => ({ pool, points: Number(points), reason })),
    title: ['bank.redeem', { who: home.label }],
    says: [['bank.redeem.says'], ['house.in_the_trail']],
    fields: [
      poolOf(pools),
      { name: 'points', label: 'bank.points', kind: 'number', least: 1, most: has },
      { name: 'reason', label: 'bank.what_for', kind: 'words' },
    ],
    go: 'bank.redeem.go',
    done: ['bank.redeem.done', { who: home.label }],
  };
}

export function serve(home: HouseholdRow, here: Here): Ask {
  const body = ({ helped = '', help, day = '', began = '', ended = '' }: Values) => ({
    helped: helped.trim(),
    help,
    began: at(day, began, here.zone),
    ended: at(day, ended, here.zone),
  });
  return {
    ...deal(home, 'service', '', body),
    title: ['bank.service', { who: home.label }],
    says: [['bank.service.says'], ['house.in_the_trail']],
    fields: [
      { name: 'helped', label: 'bank.helped', kind: 'text', hint: ['bank.token.hint'] },
      help,
      { name: 'day', label: 'bank.day', kind: 'day', value: here.today, most: here.today },
      { name: 'began', label: 'bank.began', kind: 'time' },
      { name: 'ended', label: 'bank.ended', kind: 'time', hint: ['bank.length.hint'] },
    ],
    go: 'bank.service.go',
    done: ['bank.service.done', { who: home.label }],
  };
}

export function transfer(home: HouseholdRow, has: number): Ask {
  const body = ({ to = '', minutes, help }: Values) => ({ to: to.trim(), minutes: Number(minutes), help });
  return {
    ...deal(home, 'transfer', '', body),
    title: ['bank.transfer', { who: home.label }],
    says: [['bank.transfer.says'], ['house.in_the_trail']],
    fields: [
      { name: 'to', label: 'bank.to', kind: 'text', hint: ['bank.token.hint'] },
      { name: 'minutes', label: 'bank.minutes', kind: 'number', least: 1, most: has },
      help,
    ],
    go: 'bank.transfer.go',
    done: ['bank.transfer.done', { who: home.label }],
  };
}

export function answer(home: HouseholdRow, service: Service, agreed: boolean): Ask {
  const way = agreed ? 'yes' : 'no';
  return {
    ...deal(home, 'confirm', `${service.id} ${way}`, () => ({ service: service.id, agreed })),
    title: [`bank.answer.${way}`, { who: home.label }],
    says: [[`bank.answer.${way}.says`], ['bank.answer.other_officer'], ['house.in_the_trail']],
    fields: [],
    go: `bank.answer.${way}.go`,
    done: [`bank.answer.${way}.done`],
  };
}

export function reverse(home: HouseholdRow, entry: Entry, what: string): Ask {
  const number = Number(entry.place.split('.')[0]);
  return {
    ...deal(home, 'reverse', entry.place, ({ reason }) => ({ entry: number, reason })),
    title: ['bank.reverse', { what }],
    says: [['bank.reverse.says'], ['house.in_the_trail']],
    fields: [{ name: 'reason', label: 'bank.reason', kind: 'words' }],
    go: 'bank.reverse.go',
    grave: true,
    done: ['bank.reverse.done', { what }],
  };
}
