/** What the reader chose: language and appearance. Kept in localStorage, which may be forbidden: then for this visit. */

import { fillIn, pickLang, type Lang, type Params } from './i18n/format';
import { en, zh, type Key } from './i18n';

export type Theme = 'auto' | 'light' | 'dark';

function recall(key: string): string | null {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // A private window may refuse; the choice then lasts as long as the page.
  }
}

class Prefs {
  lang = $state<Lang>(pickLang(recall('hemu.lang'), navigator.language));
  theme = $state<Theme>('auto');
  systemDark = $state(false);
  reducedMotion = $state(false);
  dark = $derived(this.theme === 'dark' || (this.theme === 'auto' && this.systemDark));

  constructor() {
    const stored = recall('hemu.theme');
    if (stored === 'light' || stored === 'dark') this.theme = stored;
    this.#follow('(prefers-color-scheme: dark)', (on) => (this.systemDark = on));
    this.#follow('(prefers-reduced-motion: reduce)', (on) => (this.reducedMotion = on));
  }

  #follow(query: string, set: (on: boolean) => void): void {
    const media = matchMedia(query);
    set(media.matches);
    media.addEventListener('change', (e) => set(e.matches));
  }

  setLang(lang: Lang): void {
    this.lang = lang;
    remember('hemu.lang', lang);
  }

  setTheme(theme: Theme): void {
    this.theme = theme;
    remember('hemu.theme', theme);
  }
}

export const prefs = new Prefs();

/** The message in the reader's language. */
export function t(key: Key, params: Params = {}): string {
  return fillIn((prefs.lang === 'zh' ? zh : en)[key], params);
}

/** A key made from the server's word, when there is such a key; else the fallback. */
export function keyOr(key: string, fallback: Key): Key {
  return Object.hasOwn(zh, key) ? (key as Key) : fallback;
}

const locale = () => (prefs.lang === 'zh' ? 'zh-CN' : 'en-GB');

export function number(value: number, digits = 0, signDisplay: 'auto' | 'exceptZero' = 'auto'): string {
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
    signDisplay,
  }).format(value);
}

/** With its sign, unless nothing of it is left to be shown. */
export const signed = (value: number, digits = 0) => number(value, digits, 'exceptZero');

/** 0.423 -> "42 %" */
export function percent(ratio: number, digits = 0): string {
  return `${number(ratio * 100, digits)} %`;
}

/** 480 g, 12.3 kg, 1.39 t */
export function weight(grams: number): string {
  if (Math.abs(grams) < 1000) return `${number(grams)} g`;
  if (Math.abs(grams) < 1_000_000) return `${number(grams / 1000, 1)} kg`;
  return `${number(grams / 1_000_000, 2)} t`;
}

export function ago(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 5) return t('ago.now');
  if (s < 60) return t('ago.s', { n: s });
  if (s < 3600) return t('ago.m', { n: Math.floor(s / 60) });
  if (s < 48 * 3600) return t('ago.h', { n: Math.floor(s / 3600) });
  return t('ago.d', { n: Math.floor(s / 86400) });
}
