/** Who may act for the household: what is said of each, and beneath all of them. Pure. */
import type { Person } from './ask';
import type { Key } from './i18n/zh';

/** What an account is to the household. */
export function being(one: Person): Key {
  if (one.own) return one.delegate ? 'people.own_delegate' : 'people.own';
  return one.delegate ? 'people.delegate' : 'people.family';
}

/** What comes of ending it. */
export function after(one: Person): Key {
  if (!one.own) return 'people.after';
  return one.delegate ? 'people.after_own_delegate' : 'people.after_own';
}

/** What is to be known of the list: a delegate is shown nobody else, and of a family nobody ends another one's. */
export function note(all: readonly Person[]): Key | null {
  const own = all.filter((one) => one.own)[0];
  if (own && own.delegate) return 'people.note_delegate';
  if (all.length === 1) return 'people.alone';
  return all.some((one) => !one.may_end) ? 'people.note_family' : null;
}
