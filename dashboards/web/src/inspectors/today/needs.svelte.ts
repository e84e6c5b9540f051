/**
 * Asks for what waits for somebody: only what the account's rights answer, the quick things first. Bags are asked a few
 * stations at a time, and since when a bin is full only for the fullest.
 */
import { ApiError, get, type Device, type Page, type SeriesAnswer, type Station } from '../../lib/api';
import {
  NEARLY_FULL,
  binKey,
  fullBins,
  sinceAtLeast,
  type EditionLine,
  type IncidentLine,
  type ObjectionLine,
  type StationBags,
} from '../../lib/needs';
import { Resource } from '../../lib/resource.svelte';
import { DAY } from '../../lib/time';

const AT_ONCE = 3;
/** Stations asked for their bags, and bins asked for their past. */
const STATIONS_MOST = 24;
const BINS_MOST = 6;
/** The states in which an edition waits for somebody. */
const WAITING = ['draft', 'noticed', 'deciding'] as const;

interface InspectionsAnswer {
  station: string;
  items: { look: 'open' | 'open_twice' | 'pass' }[];
}

/** What to ask by: rights, the stations that are known by now, and the site's time. */
export interface Asking {
  may: (right: string) => boolean;
  stations: readonly Station[];
  now: number;
}

export class NeedsDesk {
  readonly editions = new Resource<EditionLine[]>();
  readonly objections = new Resource<ObjectionLine[]>();
  readonly incidents = new Resource<IncidentLine[]>();
  readonly devices = new Resource<Device[]>();
  readonly bags = new Resource<StationBags[]>();
  fullSince = $state.raw<Readonly<Record<string, number>>>({});
  /** When the quick things were last answered, by our own clock. */
  askedAt = $state<number | null>(null);

  readonly all = [this.editions, this.objections, this.incidents, this.devices, this.bags];
  readonly errors = $derived(this.all.flatMap(({ error }) => (error ? [error] : [])));
  readonly busy = $derived(this.all.some(({ loading, data }) => loading && data === null));

  /** What is cheap. */
  async load({ may }: Asking): Promise<void> {
    const asked = [
      this.incidents.load((signal) => items<IncidentLine>(['incidents'], { limit: 50 }, signal)),
      this.devices.load((signal) => items<Device>(['devices'], { limit: 1000 }, signal)),
    ];
    if (may('see_lists')) {
      asked.push(this.editions.load(waiting));
      if (may('decide_lists')) {
        const pending = { pending: 'true', limit: 1000 };
        asked.push(this.objections.load((signal) => items<ObjectionLine>(['objections'], pending, signal)));
      }
    }
    await Promise.all(asked);
    this.askedAt = performance.now();
  }

  /** What takes the server longer. */
  async loadSlow({ may, stations, now }: Asking): Promise<void> {
    await this.#loadFullSince(stations, now);
    if (!may('inspect')) return;
    await this.bags.load(async (signal) => {
      const ids = stations.slice(0, STATIONS_MOST).map(({ id }) => id);
      return inTurn(ids, (id) => bagsAt(id, signal));
    });
  }

  async #loadFullSince(stations: readonly Station[], now: number): Promise<void> {
    const since: Record<string, number> = {};
    const bins = fullBins(stations).slice(0, BINS_MOST);
    await inTurn(bins, async ({ station, stream }) => {
      const span = { from: Math.round(now - 7 * DAY), to: Math.round(now) };
      for (const device of station.devices) {
        const found = await fillOf(device, span).catch((error: unknown) => {
          // Without its past a bin is full all the same.
          if (error instanceof ApiError) return null;
          throw error;
        });
        const points = found?.series.find((s) => s.stream === stream)?.points ?? [];
        const at = sinceAtLeast(points, NEARLY_FULL);
        if (at !== null) since[binKey(station.id, stream)] = at;
      }
    });
    this.fullSince = since;
  }
}

async function items<T>(path: string[], params: Record<string, string | number>, signal: AbortSignal) {
  return (await get<Page<T>>(path, params, signal)).items;
}

async function waiting(signal: AbortSignal): Promise<EditionLine[]> {
  const asked = WAITING.map((state) => items<EditionLine>(['editions'], { state, limit: 100 }, signal));
  return (await Promise.all(asked)).flat();
}

async function bagsAt(id: string, signal: AbortSignal): Promise<StationBags> {
  const { items } = await get<InspectionsAnswer>(['stations', id, 'inspections'], {}, signal);
  const twice = items.filter(({ look }) => look === 'open_twice').length;
  return { station: id, open: items.length - twice, twice };
}

function fillOf(device: string, { from, to }: { from: number; to: number }): Promise<SeriesAnswer> {
  return get<SeriesAnswer>(['series'], { measure: 'fill', device, from, to, step: 'hour', agg: 'min' });
}

/** A few at a time, in order. */
async function inTurn<T, R>(things: readonly T[], act: (thing: T) => Promise<R>): Promise<R[]> {
  const done: R[] = [];
  let next = 0;
  const worker = async () => {
    while (next < things.length) {
      const place = next++;
      done[place] = await act(things[place] as T);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return done;
}
