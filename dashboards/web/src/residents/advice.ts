/** What a household may do next, from the reasons of its score. Pure; at most three things, the most useful first. */
import type { Own, Reason, Reasons } from './ask';
import type { Key } from './i18n/zh';

/** Reasons that somebody can act on, in the order in which acting helps. */
const ADVICE: readonly (readonly [string, Key])[] = [
  ['HAZARD_LOW', 'next.hazard'],
  ['FOOD_LOW', 'next.food'],
  ['RESIDUAL_LOW', 'next.residual'],
  ['RECYCLABLE_LOW', 'next.recyclable'],
  ['RECENT_DROP', 'next.drop'],
  ['NO_FOOD', 'next.no_food'],
  ['FEW_DAYS', 'next.few_days'],
  ['DEVICE_UNCALIBRATED', 'next.uncalibrated'],
];
const MOST = 3;

export function advice(own: Own, why: Reasons | null): Key[] {
  const codes = (why?.reasons ?? []).map((reason) => reason.code);
  const found = ADVICE.filter(([code]) => codes.indexOf(code) >= 0).map(([, key]) => key);
  if (!own.score.rated && found.indexOf('next.few_days') < 0) found.unshift('next.unrated');
  return found.length > 0 ? found.slice(0, MOST) : ['next.keep'];
}

/** The days that cost the score most. */
export function worstDays(why: Reasons | null): string[] {
  const worst = ((why?.reasons ?? []) as Reason[]).filter((reason) => reason.code === 'WORST_DAYS')[0];
  return worst && Array.isArray(worst.days) ? worst.days : [];
}
