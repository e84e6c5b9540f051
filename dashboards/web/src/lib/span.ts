/** The stretches of the site's calendar that a chart shows: a day, a week from Monday, a month, ninety days. Pure. */
import { addDays, midnight, weekday } from './time';

export type Range = 'day' | 'week' | 'month' | '90d';
export const RANGES: readonly Range[] = ['day', 'week', 'month', '90d'];
export const DEFAULT_RANGE: Range = 'week';

export function isRange(value: string | undefined): value is Range {
  return RANGES.some((range) => range === value);
}

/** Whole local days, and the instants at which the first begins and the last ends. */
export interface Span {
  first: string;
  last: string;
  from: number;
  to: number;
}

const monthOf = (day: string) => `${day.slice(0, 7)}-01`;

function nextMonth(day: string): string {
  return monthOf(addDays(monthOf(day), 31));
}

function firstDay(range: Range, day: string): string {
  if (range === 'week') return addDays(day, -weekday(day));
  if (range === 'month') return monthOf(day);
  return range === '90d' ? addDays(day, -89) : day;
}

/** The day after the last one. */
function end(range: Range, day: string): string {
  const first = firstDay(range, day);
  if (range === 'month') return nextMonth(first);
  return addDays(first, { day: 1, week: 7, '90d': 90 }[range]);
}

/** The stretch that a day is in; of ninety days it is the last. */
export function spanOf(range: Range, day: string, zone: string): Span {
  const [first, after] = [firstDay(range, day), end(range, day)];
  return { first, last: addDays(after, -1), from: midnight(first, zone), to: midnight(after, zone) };
}

/** A day of the stretch before or after. */
export function turn(range: Range, day: string, forward: boolean): string {
  if (range === '90d') return addDays(day, forward ? 90 : -90);
  return forward ? end(range, day) : addDays(firstDay(range, day), -1);
}

/** A real calendar date. */
export function isDay(value: string | undefined): value is string {
  if (!value || !/^\d{4}-\d{2}-\d{2}$/.test(value)) return false;
  const at = Date.parse(`${value}T00:00:00Z`);
  return Number.isFinite(at) && new Date(at).toISOString().startsWith(value);
}
