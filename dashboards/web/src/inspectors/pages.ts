/**
 * The pages of this entry, in the order of the menu. Each is a chunk of its own, fetched when it is first opened, and is
 * offered to whoever has the right it needs (the server decides anew at every request).
 */
import type { Component } from 'svelte';
import type { Key } from '../lib/i18n';
import type { Dashboard } from './dashboard.svelte';

export type PageComponent = Component<{ dash: Dashboard }>;

export interface PageEntry {
  id: string;
  label: Key;
  /** The right without which the page would be empty. */
  needs: string;
  /** Led to from the account, not from the menu. */
  aside?: true;
  load: () => Promise<{ default: PageComponent }>;
}

export const PAGES: readonly PageEntry[] = [
  { id: 'today', label: 'nav.today', needs: 'see_site', load: () => import('./today/Today.svelte') },
  { id: 'estate', label: 'nav.estate', needs: 'see_site', load: () => import('./estate/Estate.svelte') },
  { id: 'inspect', label: 'nav.inspect', needs: 'inspect', load: () => import('./inspect/Inspect.svelte') },
  { id: 'station', label: 'nav.station', needs: 'see_site', load: () => import('./station/Station.svelte') },
  {
    id: 'household',
    label: 'nav.household',
    needs: 'see_households',
    load: () => import('./household/Household.svelte'),
  },
  { id: 'lists', label: 'nav.lists', needs: 'see_lists', load: () => import('./lists/Lists.svelte') },
  {
    id: 'objections',
    label: 'nav.objections',
    needs: 'see_lists',
    load: () => import('./objections/Objections.svelte'),
  },
  { id: 'rules', label: 'nav.rules', needs: 'see_lists', load: () => import('./rules/Rules.svelte') },
  { id: 'quality', label: 'nav.quality', needs: 'see_raw', load: () => import('./quality/Quality.svelte') },
  { id: 'audit', label: 'nav.audit', needs: 'read_trail', load: () => import('./audit/Audit.svelte') },
  {
    id: 'accounts',
    label: 'nav.accounts',
    needs: 'keep_accounts',
    load: () => import('./accounts/Accounts.svelte'),
  },
  {
    id: 'tokens',
    label: 'nav.tokens',
    // Whoever is of the staff may let programs act with some of the own rights.
    needs: 'see_site',
    aside: true,
    load: () => import('./tokens/Tokens.svelte'),
  },
];

/** The pages that somebody with these rights is offered. */
export function pagesFor(rights: readonly string[]): readonly PageEntry[] {
  return PAGES.filter((page) => rights.includes(page.needs));
}

/** The page an address names, or the first one. */
export function pageOf(id: string | undefined, pages: readonly PageEntry[]): PageEntry | undefined {
  return pages.find((page) => page.id === id) ?? pages[0];
}
