/** A token as the list gives it, how far it is from its end, and what is asked before it is revoked. Pure. */
import type { Ask } from '../../lib/acts.svelte';
import { DAY } from '../../lib/time';

export interface Token {
  id: string;
  account: string;
  label: string;
  scopes: string[];
  created_at: number;
  until: number;
  revoked_at: number | null;
  /** To the minute; null where no program used it since this is noted. */
  used_at: number | null;
}

export interface Made {
  id: string;
  token: string;
  until: number;
}

export type State = 'good' | 'soon' | 'over' | 'revoked';
const SOON = 7 * DAY;

/** By the machine's clock; where that is not known nothing is called over. */
export function stateOf(token: Token, now: number | null): State {
  if (token.revoked_at !== null) return 'revoked';
  if (now === null) return 'good';
  if (token.until <= now) return 'over';
  return token.until - now < SOON ? 'soon' : 'good';
}

export function revoke({ id, label, account }: Token): Ask {
  return {
    id: `revoke ${id}`,
    title: ['tokens.revoke.title', { label, account }],
    says: [['tokens.revoke.says'], ['tokens.revoke.trail']],
    fields: [],
    go: 'tokens.revoke',
    grave: true,
    path: ['tokens', id, 'revoke'],
    body: () => ({}),
    done: ['tokens.revoke.done', { label }],
  };
}
