/** The page's words, and what its reader chose: language, appearance, size of type. Kept as long as the browser keeps it. */
import { fillIn, pickLang, type Lang, type Params } from '../lib/i18n/format';
import { addDays, dateTimeOf, weekday } from '../lib/time';
import { en } from './i18n/en';
import { zh, type Key } from './i18n/zh';

export type { Lang } from '../lib/i18n/format';
export type Theme = 'auto' | 'light' | 'dark';
export type Size = 'large' | 'larger';

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

const one = <T extends string>(stored: string | null, known: readonly T[], otherwise: T): T =>
  known.filter((value) => value === stored)[0] ?? otherwise;

class Reader {
  lang = $state<Lang>(pickLang(recall('hemu.lang'), navigator.language));
  theme = $state<Theme>(one(recall('hemu.theme'), ['auto', 'light', 'dark'], 'auto'));
  size = $state<Size>(one(recall('hemu.size'), ['large', 'larger'], 'large'));

  speak(lang: Lang): void {
    this.lang = lang;
    remember('hemu.lang', lang);
  }

  dress(theme: Theme): void {
    this.theme = theme;
    remember('hemu.theme', theme);
  }

  grow(size: Size): void {
    this.size = size;
    remember('hemu.size', size);
  }
}

export const reader = new Reader();

/** The message in the reader's language. */
export function t(key: Key, params: Params = {}): string {
  return fillIn((reader.lang === 'zh' ? zh : en)[key], params);
}

/** The message for a word of the server's; the word itself where there is none. */
export function wordOr(prefix: string, word: string): string {
  const key = `${prefix}.${word}`;
  return Object.prototype.hasOwnProperty.call(zh, key) ? t(key as Key) : word;
}

/** "72", "71.6" */
export function number(value: number, digits = 0): string {
  return value.toFixed(digits);
}

/** "+1.2", "−3.0" */
export function signed(points: number): string {
  const text = Math.abs(points).toFixed(1);
  if (text === '0.0') return text;
  return points < 0 ? `−${text}` : `+${text}`;
}

export function weight(grams: number): string {
  return grams < 1000 ? `${grams} g` : `${(grams / 1000).toFixed(1)} kg`;
}

/** "5月16日", "16 May" */
export function dayWords(day: string): string {
  const [, month = '', date = ''] = day.split('-');
  return t('day.short', { m: Number(month), d: Number(date), month: t(`month.${Number(month)}` as Key) });
}

/** "5月16日(周六)", "Sat 16 May" */
export function dayAndWeekday(day: string): string {
  return t('day.long', { day: dayWords(day), weekday: t(`weekday.${weekday(day)}` as Key) });
}

/** "5月16日 14:03" in the site's zone. */
export function instant(ms: number, zone: string): string {
  const [day = '', time = ''] = dateTimeOf(ms, zone).split(' ');
  return `${dayWords(day)} ${time}`;
}

/** A week by its Monday: "5月11日至17日". */
export function weekWords(from: string): string {
  return t('week.span', { from: dayWords(from), to: dayWords(addDays(from, 6)) });
}

/** How long is left, in whole days or hours. */
export function left(ms: number): string {
  const hours = Math.floor(ms / 3_600_000);
  if (hours >= 48) return t('left.days', { n: Math.floor(hours / 24) });
  return hours >= 1 ? t('left.hours', { n: hours }) : t('left.soon');
}
