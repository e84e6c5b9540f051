/** What was typed into a form and not yet sent: kept while other pages are looked at, also by the back button. In memory
 * alone, and for as long as one person is logged in. */
import type { Dashboard } from './dashboard.svelte';

const kept = new WeakMap<Dashboard, Record<string, object>>();

/** The draft of a form, which is `empty` at first. */
export function draftOf<T extends object>(dash: Dashboard, form: string, empty: T): T {
  const drafts = kept.get(dash) ?? {};
  kept.set(dash, drafts);
  return (drafts[form] ??= fresh(empty)) as T;
}

function fresh<T extends object>(empty: T): T {
  const draft = $state(empty);
  return draft;
}
