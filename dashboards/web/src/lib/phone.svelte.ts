/**
 * What this phone keeps for whoever inspects with it: the outbox, and what the page needs where there is no network. One for
 * the whole page, so that what was graded is sent whichever page is open. All of it goes when the account logs out.
 */
import { get, post, type Site } from './api';
import {
  EMPTY,
  add,
  counts,
  dismiss,
  hurry,
  isOthers,
  ownedBy,
  undo,
  type Grading,
  type Outbox,
  type Recorded,
} from './outbox';
import { PhoneStore } from './outbox_store';
import { Sync, type Held } from './sync';

/** A bag that is to be opened, as the server names it: masked. */
export interface ToOpen {
  household: string;
  label: string;
  ordinal: number;
  look: 'open' | 'open_twice' | 'pass';
  why: 'random' | 'follow_up';
}

/** What a station's list was when it was asked for last. */
export interface Plan {
  station: string;
  day: string;
  households: number;
  items: ToOpen[];
  /** By the site's clock. */
  at: number;
}

interface Remembered {
  station: { id: string; name: string } | null;
  plan: Plan | null;
  /** The site's clock beside the phone's, for when the server does not answer. */
  clock: { site: number; phone: number; speed: number; zone: string } | null;
}

const KEY = 'hemu.inspect';
const NOTHING: Remembered = { station: null, plan: null, clock: null };

function recall(): Remembered {
  try {
    return { ...NOTHING, ...(JSON.parse(localStorage.getItem(KEY) ?? '{}') as Partial<Remembered>) };
  } catch {
    return NOTHING;
  }
}

class Phone {
  box = $state.raw<Outbox>(EMPTY);
  sending = $state(false);
  held = $state<Held | null>(null);
  detail = $state<string | null>(null);
  /** When it is tried again, by the phone's clock. */
  retryAt = $state<number | null>(null);
  remembered = $state.raw<Remembered>(recall());

  readonly #store = new PhoneStore();
  readonly #sync = new Sync({
    store: this.#store,
    send: async (readings) => {
      const answer = await post<Recorded>(['inspections'], { readings });
      if (answer === null) throw new Error('expected what became of the readings, came nothing');
      return answer;
    },
    now: () => Date.now(),
    random: () => Math.random(),
    // Below 2^48: a number that JSON carries exactly.
    draw: () => {
      const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
      return (high % 65_536) * 4_294_967_296 + low + 1;
    },
    setTimeout: (run, ms) => setTimeout(run, ms),
    clearTimeout: (timer) => clearTimeout(timer as number),
    tell: (told) => {
      this.box = told.box;
      this.sending = told.sending;
      this.held = told.held;
      this.detail = told.detail;
      this.retryAt = told.retryAt;
    },
  });

  readonly counts = $derived(counts(this.box));

  /** Sends what an account graded for as long as it is logged in; the answer ends it. */
  serve(account: string): () => void {
    const hurried = () => void this.#sync.hurry();
    addEventListener('online', hurried);
    document.addEventListener('visibilitychange', hurried);
    void this.#store
      .read()
      .then((box) => (this.box = box))
      .catch(() => (this.held = 'phone'))
      .finally(() => this.#sync.as(account));
    return () => {
      removeEventListener('online', hurried);
      document.removeEventListener('visibilitychange', hurried);
      this.#sync.stop();
    };
  }

  /** Keeps a reading; false when the phone could not, and then nothing was kept. */
  async keep(account: string, grading: Grading): Promise<boolean> {
    let taken = false;
    // A browser that is short of room clears what it was not asked to keep.
    void navigator.storage?.persist?.().catch(() => false);
    try {
      this.box = await this.#store.update((box) => {
        const mine = ownedBy(box, account);
        const fuller = isOthers(mine, account) ? null : add(mine, grading, Date.now());
        taken = fuller !== null;
        return fuller ?? box;
      });
    } catch {
      return false;
    }
    void this.#sync.hurry();
    return taken;
  }

  async undo(id: number): Promise<void> {
    this.box = await this.#store.update((box) => undo(box, id));
  }

  async dismiss(id: number): Promise<void> {
    this.box = await this.#store.update((box) => dismiss(box, id));
  }

  /** Sends now, also what could still be taken back. */
  async sendNow(): Promise<void> {
    this.box = await this.#store.update((box) => hurry(box, Date.now()));
    await this.#sync.hurry();
  }

  /** Whatever this phone knows goes. */
  async forget(): Promise<void> {
    this.#sync.stop();
    this.sending = false;
    this.remembered = NOTHING;
    this.held = null;
    try {
      localStorage.removeItem(KEY);
    } catch {
      // Nothing was kept where nothing may be.
    }
    this.box = await this.#store.update(() => EMPTY).catch(() => EMPTY);
  }

  remember(change: Partial<Remembered>): void {
    this.remembered = { ...this.remembered, ...change };
    try {
      localStorage.setItem(KEY, JSON.stringify(this.remembered));
    } catch {
      // The list and the station are then known as long as the page is open.
    }
  }

  rememberClock(site: Site): void {
    this.remember({ clock: { site: site.now, phone: Date.now(), speed: site.speed, zone: site.zone } });
  }

  /** The site's time as this phone reckons it; null before the site was ever heard. */
  siteNow(): number | null {
    const clock = this.remembered.clock;
    return clock && Math.round(clock.site + (Date.now() - clock.phone) * clock.speed);
  }

  /** Asks which bags are to be opened at a station. */
  async loadPlan(station: string, signal: AbortSignal): Promise<void> {
    const plan = await get<Omit<Plan, 'at'>>(['stations', station, 'inspections'], {}, signal);
    this.remember({ plan: { ...plan, at: this.siteNow() ?? 0 } });
  }
}

export const phone = new Phone();
