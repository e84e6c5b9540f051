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

/** What is worth telling of something that follows something else. */
export interface Patience {
  /** Less than this is caught up before anybody has read about it. */
  least: number;
  /** It is behind when it lacks what was there this long ago: who rests between two rounds always lacks the newest. */
  ms: number;
}

/** The projections, in batches of the journal. */
export const PROJECTIONS: Patience = { least: 20, ms: 0 };
/** The charts, in batches too. The server rests for five seconds between two stretches. */
export const CHARTS: Patience = { least: 20, ms: 20_000 };
/** An engine of the charts, in sums of an hour or a day. The server rests for half a minute between two rounds. */
export const ENGINE: Patience = { least: 1, ms: 45_000 };

/** Two looks at least, also where the totals come but every half minute, beyond the longest patience. */
const WINDOW_MS = 120_000;
/** Whoever did not look for longer does not know what was meanwhile. */
const GAP_MS = 40_000;

/** Follows one of them from look to look. */
export class Follower {
  #samples: Sample[] = [];
  #from = 0;

  constructor(readonly patience: Patience) {}

  /** How far it is behind now; null when it is not, or not yet worth a word. */
  look(next: Sample): Behind | null {
    this.#samples = sampled(this.#samples, next, this.patience);
    const late = this.#samples.some(
      ({ at, position }) => next.at - at >= this.patience.ms && position > next.applied,
    );
    if (this.#samples.length < 2 || !late) this.#from = next.applied;
    return late ? behind(this.#samples, this.#from) : null;
  }
}

/** The samples worth keeping: those of the last two minutes, and none from before it was last caught up or a gap. */
export function sampled(samples: readonly Sample[], next: Sample, { least }: Patience): Sample[] {
  if (next.position - next.applied < least) return [];
  const gap = next.at - (samples.at(-1)?.at ?? next.at) > GAP_MS;
  return gap ? [next] : [...samples.filter(({ at }) => next.at - at <= WINDOW_MS), next];
}

/** How far one is behind by its samples; null without any. `from` is where it was first seen so. */
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
