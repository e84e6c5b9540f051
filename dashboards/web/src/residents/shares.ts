/** Where a score comes from, as steps from where everybody begins to where the household is. Pure. */
import type { Stream } from '../lib/streams';
import type { Reasons } from './ask';

export interface Step {
  stream: Stream | 'clamped';
  points: number;
  /** Of the last 14 days, and of before. */
  recent: number;
  older: number;
  /** Before and after this step. */
  from: number;
  to: number;
}

/** What moved the score; streams that did not are left out. */
export function steps(why: Reasons): Step[] {
  const found: Step[] = [];
  let at = why.prior;
  const add = (stream: Step['stream'], recent: number, older: number) => {
    const points = recent + older;
    if (Math.abs(recent) < 0.05 && Math.abs(older) < 0.05) return;
    found.push({ stream, points, recent, older, from: at, to: at + points });
    at += points;
  };
  for (const stream of ['food', 'recyclable', 'hazardous', 'residual'] as const) {
    const of = (recent: boolean) =>
      why.streams
        .filter((share) => share.stream === stream && share.recent === recent)
        .reduce((sum, share) => sum + share.points, 0);
    add(stream, of(true), of(false));
  }
  add('clamped', why.clamped, 0);
  return found;
}

/** Both ends of a scale that all steps fit on, in tens. */
export function scale(why: Reasons, steps: Step[]): [number, number] {
  const all = [why.prior, why.score ?? why.prior];
  for (const step of steps) all.push(step.from, step.to);
  const low = 10 * Math.floor(Math.min(...all) / 10);
  const high = 10 * Math.ceil(Math.max(...all) / 10);
  return high > low ? [low, high] : [low, low + 10];
}
