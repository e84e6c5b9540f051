/** How long something takes that is counted up while it grows. Pure. */

export interface Sample {
  /** Our own clock, ms. */
  at: number;
  position: number;
  applied: number;
}

export interface Behind {
  left: number;
  /** Of what had to be caught up since it was first seen, 0..1. */
  share: number;
  /** Until it is done, in ms; null while that cannot be told. */
  ms: number | null;
}

/** Fewer batches than this are caught up before anybody has read about it. */
export const BEHIND_LEAST = 20;
const WINDOW_MS = 60_000;

/** The samples worth keeping: those of the last minute, and none from before it was last caught up. */
export function sampled(samples: readonly Sample[], next: Sample): Sample[] {
  if (next.position - next.applied < BEHIND_LEAST) return [];
  return [...samples.filter(({ at }) => next.at - at <= WINDOW_MS), next];
}

/** How far the projections are behind the journal; null when they are not. `from` is where they were first seen so. */
export function behind(samples: readonly Sample[], from: number): Behind | null {
  const [first, last] = [samples[0], samples.at(-1)];
  if (!first || !last) return null;
  const left = last.position - last.applied;
  const whole = last.position - from;
  // What is caught up less what came meanwhile.
  const gained = first.position - first.applied - left;
  const rate = gained / (last.at - first.at);
  return {
    left,
    share: whole > 0 ? Math.max(0, (last.applied - from) / whole) : 0,
    ms: last.at > first.at && rate > 0 ? left / rate : null,
  };
}
