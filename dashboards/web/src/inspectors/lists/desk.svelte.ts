/**
 * The lists as one person works them through: the editions, the one chosen with its places and acts, what is filtered
 * and where the cursor stands. It lives as long as the login and is kept while other pages are looked at.
 */
import { get, getAll, type Household, type Page, type Reasons } from '../../lib/api';
import { Acts } from '../../lib/acts.svelte';
import {
  choose,
  EVERYBODY,
  nextStep,
  type ActLine,
  type Choice,
  type Edition,
  type EditionDetail,
  type EditionPlace,
  type HouseholdEdition,
  type Move,
  type Status,
} from '../../lib/lists';
import { Resource } from '../../lib/resource.svelte';
import type { Dashboard } from '../dashboard.svelte';
import { JobWatch } from './jobs.svelte';

const AT_ONCE = 1000;
/** Places of one status that are worked with here; a city's red list is longer, and the export has all of it. */
const MOST_OF_A_STATUS = 5000;
/** Acts of an edition: two for each black name, and those of the whole. */
const MOST_ACTS = 5000;
export const ROWS = 25;

/** What a place is known by in this object, and nowhere else: masked ends may be alike. */
export const keyOf = (place: EditionPlace): string => place.household_id ?? place.household;

export class ListsDesk {
  readonly editions = new Resource<Page<Edition>>();
  readonly edition = new Resource<EditionDetail>();
  readonly places = new Resource<EditionPlace[]>();
  readonly trail = new Resource<ActLine[]>();
  readonly moved = new Resource<Page<Move>>();
  /** The household whose reasons are open. */
  readonly household = new Resource<Household>();
  readonly why = new Resource<Reasons>();
  readonly history = new Resource<Page<HouseholdEdition>>();

  choice = $state.raw<Choice>(EVERYBODY);
  page = $state(0);
  /** The row that the keyboard is at, and the one whose reasons are open. */
  at = $state<string | null>(null);
  opened = $state<string | null>(null);
  readonly acts = new Acts((answer) => this.#done(answer));
  readonly jobs = new JobWatch(() => void Promise.all([this.loadEditions(), this.reload()]));

  readonly #dash: Dashboard;
  #shown: string | null = null;
  /** What the edition and its acts said when the places were asked for. */
  #placesOf: string | null = null;

  constructor(dash: Dashboard) {
    this.#dash = dash;
  }

  /** The places that are chosen, in order. */
  readonly chosen = $derived.by(() => {
    const [edition, places] = [this.edition.data, this.places.data];
    return edition && places ? choose(places, this.choice, edition, this.#minute) : [];
  });
  readonly pages = $derived(Math.max(1, Math.ceil(this.chosen.length / ROWS)));
  readonly rows = $derived(this.chosen.slice(this.page * ROWS, (this.page + 1) * ROWS));
  /** Black names that wait for a person. */
  readonly undecided = $derived.by(() => {
    const [edition, places] = [this.edition.data, this.places.data ?? []];
    return edition ? places.filter((place) => nextStep(place, edition, this.#minute) !== null).length : 0;
  });

  /** The site's clock in steps, so that a long list is not chosen from anew at every tick. */
  get #minute(): number {
    return Math.floor((this.#dash.now ?? 0) / 60_000) * 60_000;
  }

  async loadEditions(): Promise<void> {
    await this.editions.load((signal) => get<Page<Edition>>(['editions'], { limit: 100 }, signal));
  }

  async moreEditions(): Promise<void> {
    const so_far = this.editions.data;
    if (!so_far?.next) return;
    await this.editions.load(async (signal) => {
      const more = await get<Page<Edition>>(['editions'], { limit: 100, after: so_far.next }, signal);
      return { items: [...so_far.items, ...more.items], next: more.next };
    });
  }

  /** Shows an edition; what was open of another one is put away. */
  async show(id: string): Promise<void> {
    if (this.#shown !== id) {
      this.#shown = id;
      for (const resource of [this.edition, this.places, this.trail, this.moved]) resource.clear();
      this.closeReasons();
      this.page = 0;
      this.at = null;
      this.choice = EVERYBODY;
      this.acts.close();
    }
    await this.reload();
  }

  /** Asks for all of it again. */
  async reload(): Promise<void> {
    this.#placesOf = null;
    await this.look();
  }

  /**
   * Asks how far the edition is, and for its places where something was done since they came: each household in them is
   * told that somebody looked. What households agreed to is no act on the edition: it is seen with the next reload.
   */
  async look(): Promise<void> {
    const id = this.#shown;
    if (id === null) return;
    await Promise.all([
      this.edition.load((signal) => get<EditionDetail>(['editions', id], {}, signal)),
      this.trail.load((signal) => actsOf(id, signal)),
    ]);
    const now = this.#said();
    if (this.#shown !== id || this.#placesOf === now) return;
    // After the acts: what is done in between is asked for once more, and never missed.
    await this.places.load((signal) => placesOf(id, signal));
    if (this.#shown !== id || this.places.error) return;
    this.#placesOf = now;
    if (this.edition.data?.revises)
      await this.moved.load((signal) =>
        get<Page<Move>>(['editions', id, 'moved'], { limit: AT_ONCE }, signal),
      );
  }

  /** Asks for the acts after one of ours, which the places show already; what another did meanwhile they do not. */
  async #follow(id: string): Promise<void> {
    const current = this.#placesOf === this.#said();
    const acts = this.trail.data?.length ?? 0;
    await this.trail.load((signal) => actsOf(id, signal));
    if (current && this.trail.data?.length === acts + 1) this.#placesOf = this.#said();
  }

  #said(): string {
    return JSON.stringify([this.edition.data, this.trail.data?.at(-1)?.place]);
  }

  choose(change: Partial<Choice>): void {
    this.choice = { ...this.choice, ...change };
    this.page = 0;
  }

  /** Opens the reasons of a place, or closes them. */
  async toggle(place: EditionPlace): Promise<void> {
    this.at = keyOf(place);
    if (this.opened === keyOf(place)) {
      this.closeReasons();
      return;
    }
    this.closeReasons();
    this.opened = keyOf(place);
    const token = place.household_id;
    if (token === null) return;
    await Promise.all([
      this.household.load((signal) => get<Household>(['households', token], {}, signal)),
      this.why.load((signal) => get<Reasons>(['households', token, 'reasons'], {}, signal)),
      this.history.load((signal) =>
        get<Page<HouseholdEdition>>(['households', token, 'editions'], { limit: 8 }, signal),
      ),
    ]);
  }

  closeReasons(): void {
    this.opened = null;
    for (const resource of [this.household, this.why, this.history]) resource.clear();
  }

  /** Moves the cursor, over the end of a page too. */
  step(by: 1 | -1): void {
    const now = this.chosen.findIndex((place) => keyOf(place) === this.at);
    const next = Math.min(this.chosen.length - 1, Math.max(0, now < 0 ? this.page * ROWS : now + by));
    this.#goTo(next);
  }

  /** The next place that waits for a decision, from the cursor on and around. */
  seek(): void {
    const edition = this.edition.data;
    if (!edition) return;
    const from = this.chosen.findIndex((place) => keyOf(place) === this.at) + 1;
    const waits = (place: EditionPlace) => nextStep(place, edition, this.#minute) !== null;
    const later = this.chosen.findIndex((place, nth) => nth >= from && waits(place));
    this.#goTo(later < 0 ? this.chosen.findIndex(waits) : later);
  }

  #goTo(nth: number): void {
    const place = this.chosen[nth];
    if (!place) return;
    this.page = Math.floor(nth / ROWS);
    this.at = keyOf(place);
  }

  /** What an act changed is asked for again; an edition that came of it is shown. */
  async #done(answer: unknown): Promise<void> {
    const changed = answer as Partial<Edition & EditionPlace> | null;
    if (changed?.id !== undefined && String(changed.id) !== this.#shown)
      this.#dash.go({ edition: String(changed.id) });
    if (changed?.household_id && this.places.data) {
      // One place changed: the table keeps its order and the cursor.
      this.places.data = this.places.data.map((place) =>
        place.household_id === changed.household_id ? (changed as EditionPlace) : place,
      );
      await this.#follow(this.#shown ?? '');
      return;
    }
    await Promise.all([this.loadEditions(), this.reload()]);
  }
}

/** Everybody that an edition says something of: first those that people decide on. */
async function placesOf(id: string, signal: AbortSignal): Promise<EditionPlace[]> {
  const statuses: readonly Status[] = ['BLACK', 'GREY', 'UNRATED', 'RED'];
  const found = await Promise.all(statuses.map((status) => placesIn(id, status, signal)));
  return found.flat();
}

const placesIn = (id: string, status: Status, signal: AbortSignal) =>
  getAll<EditionPlace>(['editions', id, 'places'], { status, limit: AT_ONCE }, signal, MOST_OF_A_STATUS);

const actsOf = (id: string, signal: AbortSignal) =>
  getAll<ActLine>(['editions', id, 'acts'], { limit: AT_ONCE }, signal, MOST_ACTS);

const desks = new WeakMap<Dashboard, ListsDesk>();

/** The desk of whoever is logged in. */
export function deskOf(dash: Dashboard): ListsDesk {
  const desk = desks.get(dash) ?? new ListsDesk(dash);
  desks.set(dash, desk);
  return desk;
}
