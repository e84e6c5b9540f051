/**
 * How the estate plan is coloured and walked by keyboard. Pure.
 *
 * A building shows a mean only when at least ten of its households are rated: below that, a mean says too
 * much about a neighbour.
 */
export const MIN_RATED = 10;

/** 60 = no better than unsorted, 85 = the red list's threshold (score rule, version 1). */
export const BANDS = [
  { name: 'low', from: 0 },
  { name: 'mid', from: 60 },
  { name: 'good', from: 75 },
  { name: 'high', from: 85 },
] as const;

export type Band = (typeof BANDS)[number]['name'];

/** The band of a score of 0..100. The rounded score decides, so that colour and printed number agree. */
export function bandOf(score: number): Band {
  const shown = Math.round(score);
  let band: Band = 'low';
  for (const { name, from } of BANDS) if (shown >= from) band = name;
  return band;
}

/** The mean to show, or null when too few households are rated. */
export function shownMean(building: { rated: number | null; mean_score: number | null }): number | null {
  if (building.mean_score === null || (building.rated ?? 0) < MIN_RATED) return null;
  return Math.round(building.mean_score);
}

export type Direction = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight';

export interface Place {
  x: number;
  y: number;
}

export interface Box extends Place {
  w: number;
  h: number;
}

/** Where a round mark is drawn, so that it covers no box and stays near its place; its place, where there is no room. */
export function aside(place: Place, radius: number, boxes: readonly Box[]): Place {
  const free = ({ x, y }: Place) =>
    boxes.every((box) => {
      const dx = Math.max(box.x - x, 0, x - box.x - box.w);
      const dy = Math.max(box.y - y, 0, y - box.y - box.h);
      return Math.hypot(dx, dy) >= radius;
    });
  for (let step = 0; step <= 12; step += 1) {
    const far = (step * radius) / 4;
    const around = [
      { x: place.x, y: place.y + far },
      { x: place.x, y: place.y - far },
      { x: place.x - far, y: place.y },
      { x: place.x + far, y: place.y },
    ];
    const found = around.find(free);
    if (found) return found;
  }
  return place;
}

/** The index of the nearest place in that direction, or `from` itself at the edge. Sideways steps cost double. */
export function neighbour(places: readonly Place[], from: number, direction: Direction): number {
  const here = places[from];
  if (!here) return from;
  let best = from;
  let bestCost = Infinity;
  places.forEach((place, i) => {
    const dx = place.x - here.x;
    const dy = place.y - here.y;
    const horizontal = direction === 'ArrowLeft' || direction === 'ArrowRight';
    const ahead = { ArrowUp: -dy, ArrowDown: dy, ArrowLeft: -dx, ArrowRight: dx }[direction];
    const aside = Math.abs(horizontal ? dy : dx);
    if (i === from || ahead <= 0) return;
    const cost = ahead + 2 * aside;
    if (cost < bestCost) {
      best = i;
      bestCost = cost;
    }
  });
  return best;
}
