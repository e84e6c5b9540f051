/** A household's own weeks beside its building's mean. Pure; days are the site's, weeks begin on Monday. */
import { addDays, weekday } from '../lib/time';
import type { Building, HouseholdDay, Mean } from './ask';

/** As far as evidence goes back. */
export const WEEKS = 13;

export interface Week {
  /** Its Monday. */
  from: string;
  bags: number;
  /** The mean of what was judged, 0..=100; null where nothing was. */
  own: number | null;
  /** The mean that households were told of for the time up to this week; null where none may be shown. */
  mean: Mean | null;
}

export const monday = (day: string): string => addDays(day, -weekday(day));

/** Whose mean is shown: the building's, else the estate's, else nobody's. */
export function meanOf(building: Building | null): 'building' | 'estate' | null {
  const weeks = building?.weeks ?? [];
  if (weeks.some((week) => week.building)) return 'building';
  return weeks.some((week) => week.estate) ? 'estate' : null;
}

/** The weeks up to the one of `today`, oldest first; those before the first with a bag are left out. */
export function weeksOf(days: HouseholdDay[], building: Building | null, today: string): Week[] {
  const last = monday(today);
  const whose = meanOf(building);
  const weeks: (Week & { weight: number; sum: number })[] = [];
  for (let nth = WEEKS - 1; nth >= 0; nth -= 1)
    weeks.push({ from: addDays(last, -7 * nth), bags: 0, own: null, mean: null, weight: 0, sum: 0 });
  const at = (day: string) => weeks.filter((week) => week.from === monday(day))[0];
  for (const day of days) {
    const week = at(day.day);
    if (!week) continue;
    week.bags += day.bags;
    if (day.quality === null || day.evidence <= 0) continue;
    week.weight += day.evidence;
    week.sum += day.evidence * day.quality;
  }
  for (const told of building?.weeks ?? []) {
    // An edition speaks of the days before its own.
    const week = at(addDays(told.day, -1));
    if (week && whose) week.mean = told[whose];
  }
  const first = weeks.findIndex((week) => week.bags > 0);
  return weeks.slice(first < 0 ? weeks.length : first).map(({ from, bags, mean, weight, sum }) => ({
    from,
    bags,
    mean,
    own: weight > 0 ? Math.round((100 * sum) / weight) : null,
  }));
}
