/**
 * A score as steps from the city's mean: what each stream's bags gave or took, lately and before. All in tenths of a point, so
 * that the steps add up to the score exactly. Pure.
 */
import type { Reasons } from './api';
import type { Stream } from './streams';

export interface Fall {
  kind: 'prior' | 'share' | 'clamped' | 'rounded' | 'score';
  stream: Stream | null;
  recent: boolean;
  /** What it adds; the whole height of the first and the last. */
  tenths: number;
  from: number;
  to: number;
}

const tenths = (points: number) => Math.round(points * 10);

/** Null without a score. Shares of nothing are left out; the last step before the score is what rounding gave or took. */
export function waterfall(why: Reasons): Fall[] | null {
  if (why.score === null) return null;
  const shares = why.streams
    .map(({ stream, recent, points }) => ({ kind: 'share' as const, stream, recent, tenths: tenths(points) }))
    .sort((a, b) => Math.abs(b.tenths) - Math.abs(a.tenths));
  const rest = { stream: null, recent: false };
  const before = [...shares, { ...rest, kind: 'clamped' as const, tenths: tenths(why.clamped) }];
  const sum = before.reduce((total, part) => total + part.tenths, tenths(why.prior));
  const parts = [...before, { ...rest, kind: 'rounded' as const, tenths: why.score * 10 - sum }];
  let at = tenths(why.prior);
  const falls: Fall[] = [{ ...rest, kind: 'prior', tenths: at, from: 0, to: at }];
  for (const part of parts.filter((one) => one.tenths !== 0)) {
    falls.push({ ...part, from: at, to: at + part.tenths });
    at += part.tenths;
  }
  return [...falls, { ...rest, kind: 'score', tenths: at, from: 0, to: at }];
}

/** The stretch of points that the steps need, in whole tens. */
export function reach(falls: readonly Fall[]): { low: number; high: number } {
  const ends = falls.flatMap((fall) => (fall.kind === 'share' ? [fall.from, fall.to] : [fall.to]));
  const low = Math.floor((Math.min(...ends) - 20) / 100) * 100;
  return { low: Math.max(0, low), high: Math.ceil((Math.max(...ends) + 10) / 100) * 100 };
}
