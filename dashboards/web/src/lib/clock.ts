/**
 * The site's clock. The demo's runs faster than ours, so "now" is the last time the server told plus our own
 * elapsed time multiplied by its speed. It never asks the browser what time it is.
 */
export class SiteClock {
  #server: number | null = null;
  #anchor = 0;
  #speed = 1;
  readonly #monotonic: () => number;

  /** `monotonic` counts milliseconds and is never set back (performance.now in a browser). */
  constructor(monotonic: () => number) {
    this.#monotonic = monotonic;
  }

  /** What the server said a moment ago. A speed that is no positive number counts as 1. */
  set(serverNow: number, speed: number): void {
    this.#server = serverNow;
    this.#speed = Number.isFinite(speed) && speed > 0 ? speed : 1;
    this.#anchor = this.#monotonic();
  }

  /** Milliseconds since 1970, or null until the server has been heard. */
  now(): number | null {
    if (this.#server === null) return null;
    return this.#server + (this.#monotonic() - this.#anchor) * this.#speed;
  }
}
