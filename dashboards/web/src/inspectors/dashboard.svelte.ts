/**
 * What all panels share: the site and its clock, the estate, its stations, the totals, and the live stream that
 * keeps them fresh. Panels that nobody else needs to know of keep their own state.
 */
import {
  type ApiError,
  apiPath,
  get,
  type DeviceState,
  type Estate,
  type EstatePlan,
  type LiveDeposit,
  type LiveStatus,
  type Overview,
  type Page,
  type Site,
  type Station,
} from '../lib/api';
import { SiteClock } from '../lib/clock';
import { EMPTY_FEED, FEED_LIMIT, arrive, fill, pause, resume, type Feed } from '../lib/feed';
import { formatRoute, parseRoute, type Route } from '../lib/route';
import { LiveStream, backoff, type LiveState, type SseEvent } from '../lib/sse';
import { session } from '../lib/session.svelte';
import { dateTimeOf, dayOf, timeOf } from '../lib/time';
import { HouseholdDesk } from './household/desk.svelte';
import { CatchingUp } from './catching_up.svelte';
import { Resource } from '../lib/resource.svelte';

/** Events are shown in batches: a busy estate at demo speed sends more than an eye can follow. */
const BATCH_MS = 250;
const TICK_MS = 500;
const POLL_MS = 30_000;
/** The first pause before a server that did not answer is asked again; it doubles this often. */
const FIRST_TRY_MS = 1_500;
const TRIES_SLOWEST = 4;

export class Dashboard {
  readonly site = new Resource<Site>();
  readonly overview = new Resource<Overview>();
  readonly estates = new Resource<Page<Estate>>();
  readonly estate = new Resource<EstatePlan>();
  readonly stations = new Resource<Page<Station>>();
  /** When they were asked for, by the site's clock. */
  stationsAt = $state<number | null>(null);
  readonly recent = new Resource<Page<LiveDeposit>>();
  /** The household being looked at: kept while pages change, and nowhere but here. */
  readonly household = new HouseholdDesk();

  /** The site's clock, or null until the server has told. */
  now = $state<number | null>(null);
  route = $state.raw<Route>(parseRoute(location.hash));
  feed = $state.raw<Feed>(EMPTY_FEED);
  live = $state<LiveState>('connecting');
  /** Seconds of our own time since the stream last said anything. */
  quietFor = $state<number | null>(null);
  /** Seconds until the next attempt. */
  retryIn = $state<number | null>(null);
  skipped = $state(0);
  /** The server does not answer; it is tried again by itself. */
  away = $state(false);
  /** Seconds until the next try; null while one is under way. */
  tryIn = $state<number | null>(null);
  /** Seconds of our own time since it last answered. */
  answeredFor = $state<number | null>(null);
  /** When the totals last came, by our own clock. */
  countedAt = $state<number | null>(null);
  readonly catchingUp = new CatchingUp();
  /** The building that the household search should look in; set by the plan. */
  building = $state('');

  readonly zone = $derived(this.site.data?.zone ?? 'Asia/Shanghai');
  readonly station = $derived(this.stations.data?.items.find((s) => s.id === this.route.station) ?? null);

  readonly #clock = new SiteClock(() => performance.now());
  readonly #stream: LiveStream;
  #batch: SseEvent[] = [];
  #batchTimer: ReturnType<typeof setTimeout> | null = null;
  #heardAt: number | null = null;
  #retryAt: number | null = null;
  #troubled = false;
  #answeredAt: number | null = null;
  #tryAt: number | null = null;
  #tries = 0;

  constructor() {
    this.#stream = new LiveStream(
      apiPath(['live']),
      { event: (event) => this.#queue(event), state: (state, retryIn) => this.#liveState(state, retryIn) },
      {
        fetch: (url, init) => this.#listen(url, init),
        setTimeout: (run, ms) => setTimeout(run, ms),
        clearTimeout: (timer) => clearTimeout(timer as number),
        random: () => Math.random(),
      },
    );
  }

  /** Begins asking and listening; the answer ends it. */
  start(): () => void {
    const tick = setInterval(() => this.#tick(), TICK_MS);
    const poll = setInterval(() => {
      if (!document.hidden && !session.lapsed) void this.refresh();
    }, POLL_MS);
    const hash = () => this.#routeChanged(parseRoute(location.hash));
    const online = () => this.#stream.hurry();
    const seen = () => {
      if (!document.hidden) void session.check().then(() => this.refresh());
    };
    addEventListener('hashchange', hash);
    addEventListener('online', online);
    document.addEventListener('visibilitychange', seen);
    // Of households: whoever may not see them is not listening.
    if (session.may('see_households')) this.#stream.start();
    void this.#firstLoad();
    return () => {
      clearInterval(tick);
      clearInterval(poll);
      if (this.#batchTimer !== null) clearTimeout(this.#batchTimer);
      removeEventListener('hashchange', hash);
      removeEventListener('online', online);
      document.removeEventListener('visibilitychange', seen);
      this.#stream.stop();
    };
  }

  async #listen(url: string, init: RequestInit): Promise<Response> {
    const response = await fetch(url, init);
    // The stream asks by itself; that nobody is logged in any more is found out by asking who is.
    if (response.status === 401) void session.check();
    return response;
  }

  async #firstLoad(): Promise<void> {
    await Promise.all([this.refresh(), ...(session.may('see_households') ? [this.loadRecent()] : [])]);
  }

  /** Asks again for everything that is shared. */
  async refresh(): Promise<void> {
    await Promise.all([this.loadSite(), this.loadOverview(), this.#loadEstates()]);
  }

  async loadSite(): Promise<void> {
    await this.site.load((signal) => get<Site>(['site'], {}, signal));
    if (this.site.data && !this.site.error) this.#clock.set(this.site.data.now, this.site.data.speed);
    this.#reached(this.site.error);
    this.#tick();
  }

  /** Whether the server answered. While it does not it is tried again, ever more slowly; when it is back, all is asked anew. */
  #reached(error: ApiError | null): void {
    const away = error !== null && (error.status === 0 || error.status >= 502);
    if (away) {
      this.#tryAt = performance.now() + backoff(this.#tries, FIRST_TRY_MS, Math.random());
      this.#tries = Math.min(this.#tries + 1, TRIES_SLOWEST);
    } else {
      this.#answeredAt = performance.now();
      this.#tryAt = null;
      this.#tries = 0;
      if (this.away) {
        this.#stream.hurry();
        void this.#firstLoad();
      }
    }
    this.away = away;
  }

  async loadOverview(): Promise<void> {
    await this.overview.load((signal) => get<Overview>(['overview'], {}, signal));
    this.#progress();
  }

  #progress(): void {
    const overview = this.overview.data;
    if (!overview || this.overview.error) return;
    this.countedAt = performance.now();
    this.catchingUp.look(overview, this.countedAt);
  }

  async loadRecent(): Promise<void> {
    await this.recent.load((signal) => get<Page<LiveDeposit>>(['deposits'], { limit: FEED_LIMIT }, signal));
    if (this.recent.data) this.feed = fill(this.feed, this.recent.data.items);
  }

  async #loadEstates(): Promise<void> {
    await this.estates.load((signal) => get<Page<Estate>>(['estates'], {}, signal));
    await this.loadEstate();
  }

  get estateId(): string | null {
    const items = this.estates.data?.items ?? [];
    return (items.find((e) => e.id === this.route.estate) ?? items[0])?.id ?? null;
  }

  async loadEstate(): Promise<void> {
    const id = this.estateId;
    if (id === null) return;
    await Promise.all([
      this.estate.load((signal) => get<EstatePlan>(['estates', id], {}, signal)),
      this.stations.load((signal) => get<Page<Station>>(['stations'], { estate: id, limit: 1000 }, signal)),
    ]);
    if (!this.stations.error) this.stationsAt = this.#clock.now();
  }

  /**
   * Changes the address; a link to what is shown can always be copied. Another page is a step that "back" undoes, another
   * choice on the same page is not.
   */
  go(change: Route): void {
    const route = { ...this.route, ...change };
    const address = `${location.pathname}${location.search}${formatRoute(route)}`;
    if (route.page === this.route.page) history.replaceState(null, '', address);
    else history.pushState(null, '', address);
    this.#routeChanged(route);
  }

  /** Opens a household on its page; only this object knows which. */
  openHousehold(token: string): void {
    this.go({ page: 'household' });
    void this.household.open(token, this.now === null ? '' : this.day(this.now));
  }

  #routeChanged(route: Route): void {
    const before = this.estateId;
    this.route = route;
    if (this.estateId === before) return;
    // The former estate's plan and stations are not shown under the name of the one that is asked for.
    this.estate.clear();
    this.stations.clear();
    this.stationsAt = null;
    void this.loadEstate();
  }

  pause(): void {
    this.feed = pause(this.feed);
  }

  resume(): void {
    this.feed = resume(this.feed);
  }

  reconnect(): void {
    this.#stream.hurry();
    if (this.away) this.#try();
  }

  #try(): void {
    this.#tryAt = null;
    void this.loadSite();
  }

  day(ms: number): string {
    return dayOf(ms, this.zone);
  }

  time(ms: number): string {
    return timeOf(ms, this.zone);
  }

  dateTime(ms: number): string {
    return dateTimeOf(ms, this.zone);
  }

  #tick(): void {
    this.now = this.#clock.now();
    const mine = performance.now();
    this.quietFor = this.#heardAt === null ? null : Math.floor((mine - this.#heardAt) / 1000);
    if (this.#tryAt !== null && mine >= this.#tryAt && !document.hidden) this.#try();
    this.tryIn = this.#tryAt === null ? null : Math.max(0, Math.ceil((this.#tryAt - mine) / 1000));
    this.answeredFor = this.#answeredAt === null ? null : Math.floor((mine - this.#answeredAt) / 1000);
    this.retryIn = this.#retryAt === null ? null : Math.max(0, Math.ceil((this.#retryAt - mine) / 1000));
  }

  #liveState(state: LiveState, retryIn: number | null): void {
    // The server is back: what failed or aged meanwhile is asked again at once.
    if (state === 'live' && this.#troubled) void this.#firstLoad();
    // A stream that broke may be all, or the first sign of a server that is gone.
    if (state === 'waiting' && !this.away) void this.loadSite();
    this.#troubled = state === 'waiting' || (this.#troubled && state === 'connecting');
    this.live = state;
    this.#retryAt = retryIn === null ? null : performance.now() + retryIn;
    if (state === 'live') this.#heardAt = performance.now();
    this.#tick();
  }

  #queue(event: SseEvent): void {
    this.#heardAt = performance.now();
    this.#batch.push(event);
    this.#batchTimer ??= setTimeout(() => this.#apply(), BATCH_MS);
  }

  #apply(): void {
    const batch = this.#batch;
    this.#batch = [];
    this.#batchTimer = null;
    const deposits: LiveDeposit[] = [];
    for (const { event, data } of batch) {
      const value = parse(data);
      if (value === null) continue;
      if (event === 'deposit') deposits.push(value as LiveDeposit);
      else if (event === 'status') this.#status(value as LiveStatus);
      else if (event === 'device') this.#device(value as { device: string; state: DeviceState });
      else if (event === 'overview') {
        this.overview.data = value as Overview;
        this.#progress();
      } else if (event === 'lag') this.skipped += Number((value as { skipped: number }).skipped) || 0;
    }
    if (deposits.length > 0) this.feed = arrive(this.feed, deposits);
    this.#tick();
  }

  #changeStation(device: string, id: string | null | undefined, change: (s: Station) => Station): void {
    const page = this.stations.data;
    if (!page) return;
    const mine = (s: Station) => (id ? s.id === id : s.devices.includes(device));
    this.stations.data = { ...page, items: page.items.map((s) => (mine(s) ? change(s) : s)) };
  }

  #status(status: LiveStatus): void {
    this.#changeStation(status.device, status.station, (s) => {
      const fresh = (status.bins ?? []).map((b) => ({ ...b, at: status.at }));
      const kept = s.bins.filter((b) => !fresh.some((f) => f.stream === b.stream));
      return { ...s, last_at: Math.max(s.last_at ?? 0, status.at), bins: [...kept, ...fresh] };
    });
  }

  #device({ device, state }: { device: string; state: DeviceState }): void {
    // A station with several devices is only as the server sums it up: ask instead of guessing.
    this.#changeStation(device, null, (s) => (s.devices.length === 1 ? { ...s, state } : s));
  }
}

function parse(data: string): object | null {
  try {
    const value: unknown = JSON.parse(data);
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}
