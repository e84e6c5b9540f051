/**
 * The household being looked at. It lives in this object and nowhere else: not in the address, not in the
 * history, not in any storage. What is asked is noted as a look, so that nothing is asked before somebody wants it.
 */
import {
  get,
  type Consents,
  type Deposit,
  type Household,
  type HouseholdDay,
  type HouseholdEdition,
  type HouseholdPerson,
  type HouseholdRow,
  type HouseholdTrail,
  type NextBag,
  type Page,
  type Rank,
  type Reasons,
} from '../../lib/api';
import { calendar, calendarSpan, type CalendarDay } from '../../lib/calendar';
import { Resource } from '../../lib/resource.svelte';
import type { Account, Pool } from './bank';

const FOUND_AT_ONCE = 20;
const DEPOSITS_AT_ONCE = 20;
const EDITIONS_AT_ONCE = 26;
const ENTRIES_AT_ONCE = 50;

export class HouseholdDesk {
  readonly found = new Resource<Page<HouseholdRow>>();
  readonly household = new Resource<Household>();
  readonly why = new Resource<Reasons>();
  readonly days = new Resource<CalendarDay[]>();
  readonly deposits = new Resource<Page<Deposit>>();
  /** Asked for by the parts that are opened. */
  readonly editions = new Resource<Page<HouseholdEdition>>();
  readonly rank = new Resource<{ rank: Rank | null }>();
  readonly consents = new Resource<Consents>();
  readonly trail = new Resource<HouseholdTrail>();
  readonly people = new Resource<{ items: HouseholdPerson[] }>();
  readonly nextBag = new Resource<NextBag>();
  readonly bank = new Resource<Account>();
  readonly pools = new Resource<Page<Pool>>();
  token = $state<string | null>(null);
  /** The day pointed out in calendar and list alike. */
  day = $state<string | null>(null);
  /** The cursors of the pages turned so far; the last one is the page shown. */
  pages = $state.raw<(string | null)[]>([null]);
  #search = { estate: null as string | null, building: '', q: '' };

  async search(estate: string | null, building: string, q: string): Promise<void> {
    this.#search = { estate, building, q: q.trim() };
    await this.found.load((signal) =>
      get<Page<HouseholdRow>>(['households'], { ...this.#search, limit: FOUND_AT_ONCE }, signal),
    );
  }

  async more(): Promise<void> {
    const so_far = this.found.data;
    if (!so_far?.next) return;
    await this.found.load(async (signal) => {
      const params = { ...this.#search, limit: FOUND_AT_ONCE, after: so_far.next };
      const page = await get<Page<HouseholdRow>>(['households'], params, signal);
      return { items: [...so_far.items, ...page.items], next: page.next };
    });
  }

  async open(token: string, today: string): Promise<void> {
    if (token !== this.token) this.close();
    this.token = token;
    await this.household.load((signal) => get<Household>(['households', token], {}, signal));
    if (this.token !== token) return;
    await Promise.all([this.loadWhy(), this.loadDays(today), this.turnTo([null])]);
  }

  /** Asks again for what is on the page, after something was done. */
  async again(today: string): Promise<void> {
    const { token, pages } = this;
    if (token === null) return;
    await this.household.load((signal) => get<Household>(['households', token], {}, signal));
    if (this.token !== token) return;
    const opened = [
      this.editions.data && this.loadEditions(),
      this.rank.data && this.loadRank(),
      this.consents.data && this.loadConsents(),
      this.trail.data && this.loadTrail(),
      this.people.data && this.loadPeople(),
      this.bank.data && this.loadBank(),
    ];
    await Promise.all([this.loadWhy(), this.loadDays(today), this.turnTo(pages), ...opened]);
  }

  async #ask<T>(into: Resource<T>, what: string, params: Record<string, number> = {}): Promise<void> {
    const token = this.token;
    if (token !== null) await into.load((signal) => get<T>(['households', token, what], params, signal));
  }

  readonly loadWhy = () => this.#ask(this.why, 'reasons');
  readonly loadEditions = () => this.#ask(this.editions, 'editions', { limit: EDITIONS_AT_ONCE });
  readonly loadConsents = () => this.#ask(this.consents, 'consents');
  readonly loadTrail = () => this.#ask(this.trail, 'audit', { limit: 50 });
  readonly loadPeople = () => this.#ask(this.people, 'people');
  readonly loadBank = async (): Promise<void> => {
    await Promise.all([
      this.#ask(this.bank, 'bank', { limit: ENTRIES_AT_ONCE }),
      this.pools.load((signal) => get<Page<Pool>>(['pools'], {}, signal)),
    ]);
  };
  readonly loadNextBag = () => this.#ask(this.nextBag, 'next-bag');

  /** Null is an answer: a household that is not rated has no rank. */
  readonly loadRank = async (): Promise<void> => {
    const token = this.token;
    if (token === null) return;
    await this.rank.load(async (signal) => ({
      rank: await get<Rank | null>(['households', token, 'rank'], {}, signal),
    }));
  };

  async loadDays(today: string): Promise<void> {
    const household = this.household.data;
    if (!household) return;
    const { edition } = household.score;
    const span = calendarSpan(edition, today);
    await this.days.load(async (signal) => {
      const answer = await get<{ items: HouseholdDay[] }>(['households', household.id, 'days'], span, signal);
      return calendar(span, edition, answer.items);
    });
  }

  async turnTo(pages: (string | null)[]): Promise<void> {
    this.pages = pages;
    const token = this.token;
    if (token === null) return;
    const after = pages.at(-1) ?? null;
    await this.deposits.load((signal) =>
      get<Page<Deposit>>(['households', token, 'deposits'], { limit: DEPOSITS_AT_ONCE, after }, signal),
    );
  }

  close(): void {
    this.token = null;
    this.day = null;
    this.pages = [null];
    const all = [this.household, this.why, this.days, this.deposits];
    for (const one of [
      ...all,
      this.editions,
      this.rank,
      this.consents,
      this.trail,
      this.people,
      this.nextBag,
      this.bank,
      this.pools,
    ])
      one.clear();
  }
}
