/**
 * Who is logged in, and what this page knows of their household. What logs in is a cookie that no script sees; the
 * household's token lives in this object and in requests, not in the address, the history or any storage.
 */
import { SiteClock } from '../lib/clock';
import { dayOf } from '../lib/time';
import {
  get,
  post,
  Refused,
  type Building,
  type Consents,
  type HouseholdDay,
  type HouseholdRow,
  type Me,
  type Objection,
  type Own,
  type Page,
  type Read,
  type Reasons,
  type Site,
  type Trail,
} from './ask';
import { Listening } from './listen';

/** Between two looks at the server, by the site's clock; a demo's runs fast. */
const LOOK_MS = 30_000;
const LOOK_LEAST_MS = 5_000;
/** Between two while the server would say that something changed, by our own clock. */
const LOOK_HEARING_MS = 5 * 60_000;
const DEPOSITS = 20;
const DEPOSITS_MOST = 1_000;
/** A tick of the clock that the page shows. */
const TICK_MS = 1_000;

/** One thing asked of the server. What came before stays while it is asked again, and when that fails. */
export class Slot<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<Refused | null>(null);
  #asked = 0;

  async load(ask: () => Promise<T>): Promise<void> {
    const mine = (this.#asked += 1);
    try {
      const data = await ask();
      if (mine !== this.#asked) return;
      this.data = data;
      this.error = null;
    } catch (error) {
      if (mine !== this.#asked) return;
      this.error = error instanceof Refused ? error : new Refused(0, String(error));
      if (this.error.status === 401) home.expire();
    }
  }

  clear(): void {
    this.#asked += 1;
    this.data = null;
    this.error = null;
  }
}

class Home {
  /** As it stood in the address, until it is used. */
  code = $state<string | null>(null);
  site = $state.raw<Site | null>(null);
  me = $state.raw<Me | null>(null);
  /** What the page is doing. `out` is: nobody is logged in. */
  state = $state<'starting' | 'unreachable' | 'out' | 'in'>('starting');
  /** Somebody was logged in, and the session ran out under them. */
  expired = $state(false);
  token = $state<string | null>(null);
  now = $state(0);
  /** When the server was last heard, by the site's clock. */
  heard = $state(0);

  /** Those they act for, where they are several. */
  readonly homes = new Slot<HouseholdRow[]>();
  readonly own = new Slot<Own>();
  readonly why = new Slot<Reasons>();
  readonly days = new Slot<HouseholdDay[]>();
  readonly building = new Slot<Building>();
  readonly deposits = new Slot<Page<Read>>();
  readonly objections = new Slot<Objection[]>();
  readonly consents = new Slot<Consents>();
  readonly trail = new Slot<Trail>();

  readonly #clock = new SiteClock(() => performance.now());
  readonly #live = new Listening(
    () => void this.look(),
    // The server is back: what says that it was gone is not to stand until the next turn.
    () => void (this.own.error && this.look()),
  );
  #looked = 0;
  #looking = false;
  #again = false;
  /** Nobody saw the page for a while: the device may have slept, and what counts its time with it. */
  #unseen = false;

  get zone(): string {
    return this.site?.zone ?? 'Asia/Shanghai';
  }

  get today(): string {
    return dayOf(this.now, this.zone);
  }

  async start(): Promise<void> {
    setInterval(() => this.#tick(), TICK_MS);
    document.addEventListener('visibilitychange', () => {
      this.#unseen = true;
      this.#listen();
      void this.look();
    });
    addEventListener('online', () => void this.look());
    await this.begin();
  }

  /** Asks who this is; also after the server was not there. */
  async begin(): Promise<void> {
    this.state = 'starting';
    const asked = Promise.all([this.#setClock(), get<Me>(['me'])]);
    await asked.then(
      ([, me]) => this.enter(me),
      (error: unknown) => {
        const out = error instanceof Refused && error.status === 401;
        this.state = out ? 'out' : 'unreachable';
      },
    );
  }

  /** Logs in with a code. Where the answer was lost on the way the code is used up, and the session may be there. */
  async login(code: string): Promise<void> {
    let me: Me | null;
    try {
      me = await post<Me>(['login', 'code'], { code });
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401 || this.me) throw error;
      me = await get<Me>(['me']).catch(() => null);
      if (!me) throw error;
    }
    this.code = null;
    if (!this.site) await this.#setClock();
    if (me) await this.enter(me);
  }

  async enter(me: Me): Promise<void> {
    this.me = me;
    this.expired = false;
    this.state = 'in';
    if (this.token === null || me.households.indexOf(this.token) < 0) {
      this.#forget();
      this.token = me.households[0] ?? null;
    }
    this.homes.clear();
    await this.load();
  }

  async choose(token: string): Promise<void> {
    this.#forget();
    this.token = token;
    await this.load();
  }

  async logout(): Promise<void> {
    await post(['logout'], {}).catch((error: unknown) => {
      // It was over already.
      if (!(error instanceof Refused && error.status === 401)) throw error;
    });
    this.#forget();
    this.me = null;
    this.homes.clear();
    this.token = null;
    this.expired = false;
    this.state = 'out';
    this.#listen();
  }

  /** The session is over; what somebody was writing stays for when they are back. */
  expire(): void {
    if (this.state !== 'in') return;
    this.me = null;
    this.expired = true;
    this.state = 'out';
    this.#listen();
  }

  /** What is seen first, then the rest. */
  async load(): Promise<void> {
    const { token } = this;
    if (token === null) return this.#listen();
    this.#looked = performance.now();
    await Promise.all([
      this.own.load(() => get<Own>(['households', token])),
      this.why.load(() => get<Reasons>(['households', token, 'reasons'])),
    ]);
    this.#listen();
    if (this.token !== token || this.state !== 'in') return;
    if (this.own.error?.status === 404) return this.#lost(token);
    this.heard = this.own.error ? this.heard : this.now;
    const days = async () => (await get<{ items: HouseholdDay[] }>(['households', token, 'days'])).items;
    await Promise.all([
      this.days.load(days),
      this.building.load(() => get<Building>(['households', token, 'building'])),
      this.deposits.load(() => this.#deposits(token)),
      this.objections.load(() => this.#objections(token)),
      this.consents.load(() => get<Consents>(['households', token, 'consents'])),
      this.#loadHomes(),
    ]);
  }

  async #loadHomes(): Promise<void> {
    if (this.homes.data === null && (this.me?.households.length ?? 0) > 1)
      await this.homes.load(async () => (await get<Page<HouseholdRow>>(['households'])).items);
  }

  async more(): Promise<void> {
    const { token } = this;
    const page = this.deposits.data;
    if (token === null || !page?.next) return;
    const after = page.next;
    await this.deposits.load(async () => {
      const more = await get<Page<Read>>(['households', token, 'deposits'], { limit: DEPOSITS, after });
      return { items: page.items.concat(more.items), next: more.next };
    });
  }

  async loadTrail(): Promise<void> {
    const { token } = this;
    if (token === null) return;
    await this.trail.load(() => get<Trail>(['households', token, 'audit'], { limit: DEPOSITS }));
  }

  /** Looks whether anything is new, and loads what may have changed with it. */
  async look(): Promise<void> {
    const { token } = this;
    if (document.hidden) return;
    // What changed while the page looks may have been asked for before it changed.
    this.#again = this.#looking;
    if (this.#looking) return;
    if (this.state === 'unreachable') return this.begin();
    // Where no answer comes, the clock is set with the next look.
    const clock = this.#unseen ? this.#setClock().catch(() => undefined) : null;
    if (token === null || this.state !== 'in') return;
    // Where the server hung up, it may take the call now.
    this.#listen();
    this.#looking = true;
    this.#looked = performance.now();
    try {
      await this.#lookAt(token, clock);
    } finally {
      this.#looking = false;
    }
    if (this.#again) await this.look();
  }

  async #lookAt(token: string, clock: Promise<void> | null): Promise<void> {
    const before = facts(this.own.data);
    await Promise.all([clock, this.own.load(() => get<Own>(['households', token]))]);
    if (this.own.error?.status === 404) return this.#lost(token);
    if (this.own.error || this.token !== token) return;
    if (this.heard === 0 || this.#lacks() || facts(this.own.data) !== before) return this.load();
    this.heard = this.now;
    await Promise.all([
      this.deposits.load(() => this.#deposits(token)),
      this.objections.load(() => this.#objections(token)),
      this.consents.load(() => get<Consents>(['households', token, 'consents'])),
    ]);
  }

  /** The household is not there for them. Where they act for it no longer, the page is of what is left to them. */
  async #lost(token: string): Promise<void> {
    const me = await get<Me>(['me']).catch(() => null);
    if (me && this.token === token && me.households.indexOf(token) < 0) await this.enter(me);
  }

  /** Whether a part did not come when it was asked for. */
  #lacks(): boolean {
    const parts = [
      this.why,
      this.days,
      this.building,
      this.deposits,
      this.objections,
      this.consents,
      this.homes,
    ];
    return parts.some((part) => part.error !== null);
  }

  async #setClock(): Promise<void> {
    const site = await get<Site>(['site']);
    this.site = site;
    this.#clock.set(site.now, site.speed);
    this.#unseen = false;
    this.#tick();
  }

  /** A page that nobody sees takes no place among the listeners. */
  #listen(): void {
    const seen = this.state === 'in' && !document.hidden;
    this.#live.to(seen ? this.token : null);
  }

  #tick(): void {
    this.now = this.#clock.now() ?? 0;
    const turns = Math.max(LOOK_LEAST_MS, LOOK_MS / (this.site?.speed ?? 1));
    const wait = this.#live.hears ? LOOK_HEARING_MS : turns;
    if (performance.now() - this.#looked >= wait && !document.hidden) {
      this.#looked = performance.now();
      void this.look();
    }
  }

  /** As many as there are: somebody who turned to older ones is not thrown back. */
  #deposits(token: string): Promise<Page<Read>> {
    const limit = Math.min(DEPOSITS_MOST, Math.max(DEPOSITS, this.deposits.data?.items.length ?? 0));
    return get<Page<Read>>(['households', token, 'deposits'], { limit });
  }

  /** Newest first. */
  async #objections(token: string): Promise<Objection[]> {
    const page = await get<Page<Objection>>(['objections'], { limit: 1000 });
    return page.items.filter((objection) => objection.household_id === token).reverse();
  }

  #forget(): void {
    const slots = [this.own, this.why, this.days, this.building, this.deposits, this.objections];
    for (const slot of slots) slot.clear();
    this.consents.clear();
    this.trail.clear();
    this.heard = 0;
    this.#gone();
  }

  #gone: () => void = () => undefined;

  /** Told when the page becomes another household's, or nobody's. */
  onForget(gone: () => void): void {
    this.#gone = gone;
  }
}

/** What a household's page says, but for when it was asked. */
function facts(own: Own | null): string {
  return own
    ? JSON.stringify([own.score, own.list, own.told], (key, value: unknown) => (key === 'as_of' ? 0 : value))
    : '';
}

export const home = new Home();
