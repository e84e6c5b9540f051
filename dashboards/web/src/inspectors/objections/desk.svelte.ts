/**
 * Objections as one person works through them: the queue, the one chosen with its readings, and the one being written
 * down for a household that came in person. It lives as long as the login; no household leaves this object.
 */
import { get, pages, type Deposit, type HouseholdRow, type Page } from '../../lib/api';
import { Acts } from '../../lib/acts.svelte';
import type { Edition, HouseholdEdition, Move, Objection, ObjectionDetail } from '../../lib/lists';
import { Resource } from '../../lib/resource.svelte';
import type { Dashboard } from '../dashboard.svelte';

const AT_ONCE = 200;
const READINGS_AT_ONCE = 1000;
const FOUND_AT_ONCE = 20;

/** What was typed of an objection that is not recorded yet. */
export interface Written {
  household: HouseholdRow | null;
  edition: number | null;
  readings: string[];
  words: string;
}
const NOTHING: Written = { household: null, edition: null, readings: [], words: '' };

export class ObjectionsDesk {
  readonly queue = new Resource<Page<Objection>>();
  readonly editions = new Resource<Page<Edition>>();
  readonly objection = new Resource<ObjectionDetail>();
  readonly readings = new Resource<Deposit[]>();
  /** Who stands otherwise in the corrected revision. */
  readonly moved = new Resource<Page<Move>>();
  pending = $state(true);
  chosen = $state<number | null>(null);

  recording = $state(false);
  written = $state.raw<Written>(NOTHING);
  readonly found = new Resource<Page<HouseholdRow>>();
  readonly told = new Resource<Page<HouseholdEdition>>();
  readonly own = new Resource<Page<Deposit>>();
  readonly acts = new Acts((answer) => this.#done(answer));

  /** The queue, and the editions that its objections are about. */
  async load(): Promise<void> {
    await Promise.all([
      this.queue.load((signal) =>
        get<Page<Objection>>(['objections'], { pending: String(this.pending), limit: AT_ONCE }, signal),
      ),
      this.editions.load((signal) => get<Page<Edition>>(['editions'], { limit: AT_ONCE }, signal)),
    ]);
  }

  /** The same, and the objection that is open. */
  async refresh(): Promise<void> {
    await this.load();
    if (this.chosen !== null && !this.recording) await this.open(this.chosen);
  }

  editionOf(objection: Objection): Edition | null {
    return this.editions.data?.items.find((edition) => edition.id === objection.edition) ?? null;
  }

  /** The newest revision that corrects the edition an objection was made to. */
  revisionOf(objection: Objection): Edition | null {
    const edition = this.editionOf(objection);
    const same = (this.editions.data?.items ?? []).filter(
      (one) => one.day === edition?.day && one.revises !== null,
    );
    return same.find((one) => one.state !== 'retracted') ?? null;
  }

  async open(id: number): Promise<void> {
    if (this.chosen !== id) for (const one of [this.objection, this.readings, this.moved]) one.clear();
    this.chosen = id;
    this.recording = false;
    await this.objection.load((signal) => get<ObjectionDetail>(['objections', String(id)], {}, signal));
    const objection = this.objection.data;
    if (objection === null) return;
    await this.readings.load((signal) => readingsOf(objection, signal));
    const revision = objection.state === 'upheld' ? this.revisionOf(objection) : null;
    if (revision === null) return;
    const path = ['editions', String(revision.id), 'moved'];
    await this.moved.load((signal) => get<Page<Move>>(path, { limit: READINGS_AT_ONCE }, signal));
  }

  /** Begins to write one down, or goes on with what was typed; a household may be known already. */
  record(household?: HouseholdRow): void {
    this.recording = true;
    if (household && household.id !== this.written.household?.id) void this.choose(household);
  }

  write(change: Partial<Written>): void {
    this.written = { ...this.written, ...change };
  }

  async search(text: string): Promise<void> {
    const params = { q: text.trim(), limit: FOUND_AT_ONCE };
    await this.found.load((signal) => get<Page<HouseholdRow>>(['households'], params, signal));
  }

  async choose(household: HouseholdRow): Promise<void> {
    this.written = { ...NOTHING, household, words: this.written.words };
    this.told.clear();
    this.own.clear();
    const path = ['households', household.id];
    await Promise.all([
      this.told.load((signal) => get<Page<HouseholdEdition>>([...path, 'editions'], { limit: 20 }, signal)),
      this.own.load((signal) =>
        get<Page<Deposit>>([...path, 'deposits'], { limit: READINGS_AT_ONCE }, signal),
      ),
    ]);
  }

  async #done(answer: unknown): Promise<void> {
    const done = answer as Partial<ObjectionDetail> | null;
    if (done?.id !== undefined && this.recording) {
      this.recording = false;
      this.written = NOTHING;
      this.chosen = done.id;
    }
    await this.refresh();
  }
}

/** The readings that are objected to; one that the household's page does not show any more is left out. */
async function readingsOf(objection: Objection, signal: AbortSignal): Promise<Deposit[]> {
  if (objection.household_id === null) return [];
  const found: Deposit[] = [];
  const path = ['households', objection.household_id, 'deposits'];
  for await (const { items } of pages<Deposit>(path, { limit: READINGS_AT_ONCE }, signal)) {
    found.push(...items.filter((reading) => objection.readings.includes(reading.place)));
    if (found.length >= objection.readings.length) break;
  }
  return found;
}

const desks = new WeakMap<Dashboard, ObjectionsDesk>();

/** The desk of whoever is logged in. */
export function objectionsOf(dash: Dashboard): ObjectionsDesk {
  const desk = desks.get(dash) ?? new ObjectionsDesk();
  desks.set(dash, desk);
  return desk;
}
