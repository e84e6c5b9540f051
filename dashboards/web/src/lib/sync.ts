/**
 * Sends what waits in the outbox, one batch at a time, and again until the server has answered. An answer that is lost costs
 * nothing: the same batch is sent again, and the server knows it. Must not drop anything that was not answered for.
 */
import { ApiError } from './api';
import { batch, counts, isOthers, seal, settle, type Outbox, type Recorded, type Sent } from './outbox';
import type { OutboxStore } from './outbox_store';

/** Pauses after attempts that failed; the last one is for all that follow. */
const PAUSES_MS = [1_000, 2_000, 5_000, 15_000, 30_000, 60_000];

/** Why nothing is sent now. */
export type Held = 'no_answer' | 'log_in' | 'forbidden' | 'refused' | 'others' | 'phone';

export interface Told {
  box: Outbox;
  sending: boolean;
  held: Held | null;
  /** What the server said, where it refused. */
  detail: string | null;
  /** When it is tried again, by the phone's clock. */
  retryAt: number | null;
}

export interface SyncParts {
  store: OutboxStore;
  send: (readings: Sent[]) => Promise<Recorded>;
  now: () => number;
  random: () => number;
  draw: () => number;
  setTimeout: (run: () => void, ms: number) => unknown;
  clearTimeout: (timer: unknown) => void;
  tell: (told: Told) => void;
}

export class Sync {
  readonly #parts: SyncParts;
  #account: string | null = null;
  #timer: unknown = null;
  #failed = 0;
  #running: Promise<void> | null = null;
  #again = false;
  #held: Held | null = null;
  #detail: string | null = null;
  #retryAt: number | null = null;

  constructor(parts: SyncParts) {
    this.#parts = parts;
  }

  /** Sends for this account from now on; null: for nobody. */
  as(account: string | null): void {
    this.#account = account;
    void this.hurry();
  }

  /** Looks at once, whatever pause is on: something was graded, or the network is back. */
  hurry(): Promise<void> {
    this.#failed = 0;
    return this.#run();
  }

  stop(): void {
    this.#account = null;
    this.#rest();
  }

  #rest(): void {
    if (this.#timer !== null) this.#parts.clearTimeout(this.#timer);
    this.#timer = null;
    this.#retryAt = null;
  }

  #run(): Promise<void> {
    this.#rest();
    this.#again = true;
    this.#running ??= this.#loop();
    return this.#running;
  }

  async #loop(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      try {
        await this.#round();
      } catch {
        // The phone itself fails; what it kept, it keeps.
        await this.#wait('phone', null, null);
      }
    }
    // In the same turn as the last look at `again`: nobody's call falls in between.
    this.#running = null;
  }

  async #round(): Promise<void> {
    const { store, now, draw } = this.#parts;
    const account = this.#account;
    if (account === null) return;
    const sealed = await store.update((box) => (box.owner === account ? seal(box, now(), draw) : box));
    if (isOthers(sealed, account)) return this.#wait('others', null, sealed);
    const readings = batch(sealed);
    if (readings.length === 0) return this.#idle(sealed);
    this.#tell(sealed, true);
    let answer: Recorded;
    try {
      answer = await this.#parts.send(readings);
    } catch (error) {
      // Whoever it was sent for is gone, and with them what the phone kept: it is not told again.
      if (this.#account !== account) return;
      return this.#failure(error, sealed);
    }
    const after = await store.update((box) => settle(box, answer));
    [this.#held, this.#detail] = [null, null];
    this.#tell(after, false);
    // A photo waits for the server to have folded its reading, and whatever else waits is sent with it.
    if (answer.readings.some((reading) => reading.photo === 'later')) return void this.#pause();
    this.#failed = 0;
    this.#again = true;
  }

  /** Nothing has a number; what can still be taken back is looked at again when it cannot. */
  #idle(box: Outbox): void {
    if (this.#held !== null && counts(box).waiting === 0) [this.#held, this.#detail] = [null, null];
    const due = box.items.filter((item) => item.state === 'waiting').map((item) => item.due);
    if (due.length > 0) this.#later(Math.max(100, Math.min(...due) - this.#parts.now()));
    this.#tell(box, false);
  }

  async #failure(error: unknown, box: Outbox): Promise<void> {
    const status = error instanceof ApiError ? error.status : 0;
    const detail = error instanceof ApiError ? error.detail : null;
    if (status === 401) return this.#wait('log_in', detail, box);
    if (status === 403) return this.#wait('forbidden', detail, box);
    // What the server cannot read it will not read the next time either, but a newer server might.
    return this.#wait(status >= 400 && status < 500 && status !== 429 ? 'refused' : 'no_answer', detail, box);
  }

  async #wait(held: Held, detail: string | null, box: Outbox | null): Promise<void> {
    [this.#held, this.#detail] = [held, detail];
    // Whoever must log in first, or is somebody else, is not helped by asking again.
    if (held !== 'log_in' && held !== 'others') {
      this.#retryAt = this.#parts.now() + this.#pause();
    }
    const shown = box ?? (await this.#parts.store.read().catch(() => null));
    if (shown) this.#tell(shown, false);
  }

  /** Tries again after a while, longer each time; about when. */
  #pause(): number {
    const pause = PAUSES_MS[Math.min(this.#failed, PAUSES_MS.length - 1)] ?? 0;
    this.#failed += 1;
    this.#later(pause * (0.75 + this.#parts.random() / 2));
    return pause;
  }

  #later(ms: number): void {
    if (this.#timer !== null) this.#parts.clearTimeout(this.#timer);
    this.#timer = this.#parts.setTimeout(() => void this.#run(), ms);
  }

  #tell(box: Outbox, sending: boolean): void {
    this.#parts.tell({ box, sending, held: this.#held, detail: this.#detail, retryAt: this.#retryAt });
  }
}
