/** What is wrong with a form, by field. Nothing is sent while anything is; what was typed stays. */
import { tick } from 'svelte';
import type { Key } from '../lib/i18n';

export type Wrong = Readonly<Record<string, Key | undefined>>;

/** Whether nothing is wrong; else whoever fills it in is led to the first field that is, known by `prefix` and its name. */
export function fine(wrong: Wrong, prefix: string): boolean {
  const first = Object.keys(wrong).find((field) => wrong[field]);
  if (first === undefined) return true;
  // Once it is said: the field is read out with what is wrong with it.
  void tick().then(() => document.getElementById(`${prefix}-${first}`)?.focus());
  return false;
}

/** The second click of a double click does nothing. */
export function once(event: MouseEvent): void {
  if (event.detail > 1) event.preventDefault();
}
