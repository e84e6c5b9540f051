/** What the buildings and units of an estate achieve now, and achieved in the last public edition. */
import { get, type Page } from '../../lib/api';
import type { Groups } from '../../lib/paint';
import { Resource } from '../../lib/resource.svelte';

interface PublicEdition {
  id: number;
  day: string;
  public: boolean;
}

export type By = 'building' | 'unit';

export class EstateDesk {
  readonly now = { building: new Resource<Groups>(), unit: new Resource<Groups>() };
  readonly before = { building: new Resource<Groups>(), unit: new Resource<Groups>() };
  readonly editions = new Resource<Page<PublicEdition>>();
  /** Without a public edition there is nothing to compare with. */
  readonly last = $derived(this.editions.data?.items.find((edition) => edition.public) ?? null);
  readonly all = [this.now.building, this.now.unit, this.editions, this.before.building, this.before.unit];
  readonly error = $derived(this.all.find(({ error }) => error !== null)?.error ?? null);
  #of: string | null = null;

  /** `compares`: whether the account may see editions. */
  async load(estate: string, compares: boolean): Promise<void> {
    const { now, before, editions } = this;
    if (estate !== this.#of) {
      // Buildings of two estates may have one name: nothing of the other one is painted over this one's plan.
      for (const one of [now.building, now.unit, before.building, before.unit]) one.clear();
      this.#of = estate;
    }
    const ask = (by: By, edition: number | null) => (signal: AbortSignal) =>
      get<Groups>(['estates', estate, 'groups'], { by, edition }, signal);
    await Promise.all([now.building.load(ask('building', null)), now.unit.load(ask('unit', null))]);
    if (!compares || estate !== this.#of) return;
    const params = { state: 'published', limit: 20 };
    await editions.load((signal) => get<Page<PublicEdition>>(['editions'], params, signal));
    if (this.last === null || estate !== this.#of) return;
    const { id } = this.last;
    await Promise.all([before.building.load(ask('building', id)), before.unit.load(ask('unit', id))]);
  }
}
