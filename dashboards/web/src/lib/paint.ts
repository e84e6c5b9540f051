/**
 * What the plan is coloured by, and what a colour says in words. Pure. A group that is too small has no colour of its own:
 * the server says nothing of it, and neither does the page.
 */
import type { Building } from './api';
import { shownMean, type Band } from './plan';

export const MEASURES = ['score', 'rated', 'change'] as const;
export type PaintMeasure = (typeof MEASURES)[number];

export interface Figures {
  households: number;
  rated: number;
  score: number;
  low: number;
  high: number;
  rank: number | null;
}

/** A building, or one of its units. */
export interface Group {
  building: string | null;
  unit: string | null;
  label: string;
  too_few: boolean;
  figures: Figures | null;
}

export interface Groups {
  day: string;
  edition: number | null;
  items: Group[];
}

/** From which value on a band begins, and what is written beside its colour. */
export const LEGEND: Record<PaintMeasure, readonly { band: Band; from: number; says: string }[]> = {
  score: [
    { band: 'low', from: -Infinity, says: '< 60' },
    { band: 'mid', from: 60, says: '60–74' },
    { band: 'good', from: 75, says: '75–84' },
    { band: 'high', from: 85, says: '≥ 85' },
  ],
  rated: [
    { band: 'low', from: -Infinity, says: '< 60 %' },
    { band: 'mid', from: 60, says: '60–79 %' },
    { band: 'good', from: 80, says: '80–89 %' },
    { band: 'high', from: 90, says: '≥ 90 %' },
  ],
  change: [
    { band: 'low', from: -Infinity, says: '≤ −3' },
    { band: 'mid', from: -2, says: '−2…0' },
    { band: 'good', from: 1, says: '+1…+2' },
    { band: 'high', from: 3, says: '≥ +3' },
  ],
};

/** What is written and its colour; null where nothing may be said. */
export interface Paint {
  text: string;
  band: Band;
}

export const groupKey = (building: string | null, unit: string | null) => `${building ?? ''} ${unit ?? ''}`;

export function byKey(groups: Groups | null): ReadonlyMap<string, Group> {
  return new Map((groups?.items ?? []).map((group) => [groupKey(group.building, group.unit), group]));
}

/** Whole points, since the edition before; null where either says nothing. */
export function changeOf(now: Group | undefined, before: Group | undefined): number | null {
  if (!now?.figures || !before?.figures) return null;
  return now.figures.score - before.figures.score;
}

export function valueOf(
  measure: PaintMeasure,
  now: Group | undefined,
  before: Group | undefined,
): number | null {
  if (measure === 'change') return changeOf(now, before);
  if (!now?.figures) return null;
  const { score, rated, households } = now.figures;
  // Rounded down: 100 % must mean all of them.
  return measure === 'score' ? score : Math.floor((rated / Math.max(1, households)) * 100);
}

export function paintOf(measure: PaintMeasure, value: number | null): Paint | null {
  if (value === null) return null;
  const legend = LEGEND[measure];
  const band = legend.reduce((found, { band, from }) => (value >= from ? band : found), legend[0]!.band);
  const sign = measure === 'change' && value > 0 ? '+' : '';
  return { text: `${sign}${String(value).replace('-', '−')}`, band };
}

/** What a plan shows that nobody asked groups for. */
export const ownMean = (building: Building) => paintOf('score', shownMean(building));

/** Where each unit lies in its building: side by side along the longer edge. */
export function unitBoxes(building: Building): { x: number; y: number; w: number; h: number }[] {
  const { x, y, w, h } = building;
  const n = Math.max(1, building.units);
  return Array.from({ length: n }, (_, i) =>
    w >= h ? { x: x + (w / n) * i, y, w: w / n, h } : { x, y: y + (h / n) * i, w, h: h / n },
  );
}
