/**
 * Listens for one household: the server says that something of it changed, and nothing of what. Where it cannot be heard
 * the page asks from time to time, as it does anyway. Must not ask for anything itself.
 */
import { apiPath } from '../lib/api';

/** What many households are told at once is not asked for by all of them at once. */
const SPREAD_MS = 3_000;

export class Listening {
  #source: EventSource | null = null;
  #token: string | null = null;
  #later: ReturnType<typeof setTimeout> | null = null;
  readonly #changed: () => void;
  readonly #open: () => void;

  /** `changed` is called soon after something did, or may have while nobody listened; `open` whenever a line is open. */
  constructor(changed: () => void, open: () => void) {
    this.#changed = changed;
    this.#open = open;
  }

  /** Whether news would be heard now. */
  get hears(): boolean {
    return this.#source !== null && this.#source.readyState === EventSource.OPEN;
  }

  /** Listens for a household; to nothing with `null`. Where the server hung up it is called again. */
  to(token: string | null): void {
    const gone = this.#source === null || this.#source.readyState === EventSource.CLOSED;
    if (token === this.#token && (token === null || !gone)) return;
    this.#source?.close();
    if (this.#later !== null) clearTimeout(this.#later);
    this.#later = null;
    this.#source = null;
    this.#token = token;
    if (token === null || typeof EventSource === 'undefined') return;
    const source = new EventSource(apiPath(['households', token, 'live']));
    source.onopen = () => this.#open();
    // What was missed before a line was open the server says itself, by the last event that the browser had.
    source.addEventListener('changed', () => this.#soon());
    this.#source = source;
  }

  #soon(): void {
    if (this.#later !== null) return;
    this.#later = setTimeout(() => {
      this.#later = null;
      this.#changed();
    }, SPREAD_MS * Math.random());
  }
}
