/** The calendar of a household's days: which days to show and what each one says. Pure. */
import type { HouseholdDay } from './api';
import { bandOf, type Band } from './plan';
import { addDays, daysBetween, weekday } from './time';

/** Days the score looks back. */
export const WINDOW = 90;

export type DayKind = 'none' | 'uncounted' | Band;

export interface CalendarDay {
  day: string;
  kind: DayKind;
  inspected: boolean;
  /** On or after the edition's date: it will count in the next edition. */
  later: boolean;
  entry: HouseholdDay | null;
}

/** What a day's square shows. Bags that no calibrated camera and no inspector judged are seen, but count for nothing. */
export function kindOf(entry: HouseholdDay | null): DayKind {
  if (!entry || entry.bags === 0) return 'none';
  if (entry.quality === null || entry.evidence <= 0) return 'uncounted';
  return bandOf(entry.quality * 100);
}

/** The 90 days of the edition and any later ones up to today. */
export function calendarSpan(edition: string, today: string): { from: string; to: string } {
  const last = addDays(edition, -1);
  return {
    from: addDays(edition, -WINDOW),
    to: today > last && daysBetween(last, today).length <= 15 ? today : last,
  };
}

export function calendar(
  span: { from: string; to: string },
  edition: string,
  days: HouseholdDay[],
): CalendarDay[] {
  const byDay = new Map(days.map((d) => [d.day, d]));
  return daysBetween(span.from, span.to).map((day) => {
    const entry = byDay.get(day) ?? null;
    const inspected = entry?.sources.some((s) => s.source === 'inspector') ?? false;
    return { day, kind: kindOf(entry), inspected, later: day >= edition, entry };
  });
}

/** Weeks as columns that begin on Monday; null pads the first and the last. */
export function weeks(days: CalendarDay[]): (CalendarDay | null)[][] {
  const first = days[0];
  if (!first) return [];
  const cells: (CalendarDay | null)[] = [...Array<null>(weekday(first.day)).fill(null), ...days];
  while (cells.length % 7 !== 0) cells.push(null);
  return Array.from({ length: cells.length / 7 }, (_, i) => cells.slice(i * 7, i * 7 + 7));
}
