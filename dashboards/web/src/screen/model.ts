/** What `/api/v1/screen` answers, and what the scenes make of it. Pure. */
import type { Figures, Group } from '../lib/paint';
import type { Stream } from '../lib/streams';

export interface Sums {
  deposits: number;
  weight_kg: number;
}

export interface Day extends Sums {
  day: string;
  streams: (Sums & { stream: Stream })[];
}

/** A building; of units the screen hears nothing. */
export type BuildingGroup = Omit<Group, 'unit'>;

export interface Building {
  id: string;
  label: string;
  x: number;
  y: number;
  w: number;
  h: number;
}

export interface Estate {
  id: string;
  name: string;
  households: number;
  plan: { width: number; height: number; buildings: Building[] } | null;
  groups: { day: string; edition: number; whole: Figures | null; items: BuildingGroup[] } | null;
}

export interface ScreenData {
  site: { name: string; zone: string; now: number; speed: number; demo: boolean; version: string };
  days: Day[];
  inspected_today: number;
  households: { registered: number; active_28d: number };
  devices: { known: number; online: number };
  stations: number;
  records: number;
  estates: Estate[];
}

/** What is told of one building on the plan; null where nothing may be, undefined where nothing is. */
export function groupOf(estate: Estate, building: Building): BuildingGroup | undefined {
  return estate.groups?.items.find((g) => g.building === building.id || g.building === building.label);
}

/** Metres of the plan that a building's number may be high: readable from afar where there is room, and never over a neighbour. */
export function textSize({ width, buildings }: NonNullable<Estate['plan']>): number {
  const above = (p: Building, q: Building) => q.y > p.y && q.x < p.x + p.w && p.x < q.x + q.w;
  const rows = buildings.flatMap((p) => buildings.filter((q) => above(p, q)).map((q) => q.y - p.y));
  return Math.min(width / 24, 0.46 * Math.min(width, ...rows));
}

export interface Place {
  id: string;
  label: string;
  estate: string;
  rated: number;
  households: number;
}

/** The buildings in which the largest share of households takes part; a building that must not be shown is in no place. */
export function foremost(estates: readonly Estate[], most: number): Place[] {
  const places = estates.flatMap((estate) =>
    (estate.groups?.items ?? []).flatMap(({ building, label, figures }) =>
      figures && figures.households > 0
        ? [
            {
              id: building ?? label,
              label,
              estate: estate.name,
              rated: figures.rated,
              households: figures.households,
            },
          ]
        : [],
    ),
  );
  // Shares are compared as fractions: no two are equal because of a rounding.
  places.sort((a, b) => b.rated * a.households - a.rated * b.households || b.rated - a.rated);
  return places.slice(0, most);
}

function sum(days: readonly Day[]): Sums {
  const add = (of: (day: Day) => number) => days.reduce((all, day) => all + of(day), 0);
  return { deposits: add((d) => d.deposits), weight_kg: add((d) => d.weight_kg) };
}

/** The last seven whole days and the seven before; today is not over. */
export function weeks(days: readonly Day[]): { last: Sums; before: Sums } {
  const whole = days.slice(0, -1);
  return { last: sum(whole.slice(-7)), before: sum(whole.slice(-14, -7)) };
}

/** By how much something changed, in percent; null where there was nothing before. */
export function change(now: number, before: number): number | null {
  return before > 0 ? Math.round(((now - before) / before) * 100) : null;
}

/** Whole percents of a total that add up to 100: what rounding leaves over goes to the largest remainders. */
export function percents(values: readonly number[]): number[] {
  const total = values.reduce((a, b) => a + b, 0);
  if (total <= 0) return values.map(() => 0);
  const exact = values.map((value) => (value / total) * 100);
  const shown = exact.map(Math.floor);
  const left = 100 - shown.reduce((a, b) => a + b, 0);
  const byRemainder = exact.map((e, i) => [e - Math.floor(e), i] as const).sort((a, b) => b[0] - a[0]);
  for (const [, i] of byRemainder.slice(0, left)) shown[i] = (shown[i] ?? 0) + 1;
  return shown;
}

export const SCENES = ['today', 'plan', 'fortnight', 'buildings', 'programme'] as const;
export type Scene = (typeof SCENES)[number];

/** A scene, of one estate where it is about one. */
export interface Showing {
  scene: Scene;
  estate?: Estate;
}

/** What there is to show, in its order: a plan for every estate that has one, buildings only where some may be shown. */
export function programme(data: ScreenData): Showing[] {
  return SCENES.flatMap((scene): Showing[] => {
    if (scene === 'plan')
      return data.estates.filter((e) => e.plan?.buildings.length).map((estate) => ({ scene, estate }));
    if (scene === 'buildings' && foremost(data.estates, 1).length === 0) return [];
    return [{ scene }];
  });
}
