/**
 * What the search box has found. The text lives here and in one request, and is forgotten when the box closes. An older
 * request is given up as soon as there is a newer text.
 */
import { get, type Device, type HouseholdRow, type Page } from '../../lib/api';
import { PER_KIND, asksForHouseholds, find, plain, type Hit, type Known } from '../../lib/search';
import { Resource } from '../../lib/resource.svelte';

/** From the last key to the request. */
const PAUSE_MS = 80;

export class SearchDesk {
  typed = $state('');
  readonly households = new Resource<HouseholdRow[]>();
  readonly devices = new Resource<Device[]>();
  readonly editions = new Resource<{ id: number; day: string; state: string }[]>();
  /** How long the last answer about households took, in ms. */
  took = $state<number | null>(null);
  /** Households are being looked for, or will be in a moment. */
  asking = $state(false);
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** What is not on every page is asked for when the box opens. */
  open(may: (right: string) => boolean): void {
    void this.devices.load(async (s) => (await get<Page<Device>>(['devices'], { limit: 1000 }, s)).items);
    if (!may('see_lists')) return;
    void this.editions.load(
      async (s) =>
        (await get<Page<{ id: number; day: string; state: string }>>(['editions'], { limit: 100 }, s)).items,
    );
  }

  type(text: string, may: (right: string) => boolean): void {
    this.typed = text;
    if (this.#timer !== null) clearTimeout(this.#timer);
    // What an older text found is gone at once: Enter must never open it.
    this.households.clear();
    this.asking = asksForHouseholds(text) && may('see_households');
    if (this.asking) this.#timer = setTimeout(() => void this.#ask(plain(text)), PAUSE_MS);
  }

  async #ask(q: string): Promise<void> {
    const began = performance.now();
    await this.households.load(
      async (signal) => (await get<Page<HouseholdRow>>(['households'], { q, limit: PER_KIND }, signal)).items,
    );
    this.took = performance.now() - began;
    if (!this.households.loading) this.asking = false;
  }

  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.typed = '';
    this.took = null;
    this.asking = false;
    this.households.clear();
  }

  /** Households first, since that is what people look for; then what the page knows. */
  hits(known: Omit<Known, 'devices' | 'editions'>): Hit[] {
    const found = (this.households.data ?? []).map((row): Hit => ({
      kind: 'household',
      id: row.id,
      title: row.label,
      note: row.id,
    }));
    const rest = find(this.typed, {
      ...known,
      devices: this.devices.data ?? [],
      editions: this.editions.data ?? [],
    });
    return [...found, ...rest];
  }
}
