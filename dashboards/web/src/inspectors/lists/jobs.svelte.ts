/**
 * The server's long jobs, looked at each second while one runs and now and then otherwise: whoever reloads the page or
 * comes later sees the same.
 */
import { ApiError, get, post } from '../../lib/api';
import { overSince, type Job, type JobList } from '../../lib/jobs';
import { Resource } from '../../lib/resource.svelte';

const TICK_MS = 1_000;
/** Ticks between two looks where nothing is known to run. */
const REST_TICKS = 10;

export class JobWatch {
  readonly list = new Resource<JobList>();
  readonly running = $derived((this.list.data?.items ?? []).filter((job) => job.ended === null));
  readonly ended = $derived((this.list.data?.items ?? []).filter((job) => job.ended !== null));
  /** The job that somebody wants to cancel and why that did not work. */
  refusal = $state.raw<{ id: string; error: ApiError } | null>(null);
  #asked = $state<string | null>(null);
  readonly #over: () => unknown;

  /** `over` is told when one that ran is seen no more. */
  constructor(over: () => unknown) {
    this.#over = over;
  }

  async look(): Promise<void> {
    const before = this.list.data?.items ?? [];
    await this.list.load((signal) => get<JobList>(['jobs'], {}, signal));
    if (overSince(before, this.list.data?.items ?? [])) this.#over();
  }

  /** Looks until what it gives back is called; `busy` says that something was asked for that takes long. */
  watch(busy: () => boolean): () => void {
    void this.look();
    let ticks = 0;
    const timer = setInterval(() => {
      ticks += 1;
      const soon = busy() || this.running.length > 0 || ticks % REST_TICKS === 0;
      if (soon && !document.hidden && !this.list.loading) void this.look();
    }, TICK_MS);
    return () => clearInterval(timer);
  }

  asked(job: Job): boolean {
    return this.#asked !== null && this.#asked === job.id;
  }

  /** Once for each job: a second click changes nothing. */
  async cancel(job: Job): Promise<void> {
    if (job.id === null || this.#asked !== null) return;
    const id = job.id;
    this.#asked = id;
    this.refusal = null;
    try {
      await post(['jobs', id, 'cancel'], {});
    } catch (failure) {
      const error = failure instanceof ApiError ? failure : new ApiError(0, 'no answer', String(failure));
      this.refusal = { id, error };
    }
    await this.look();
    this.#asked = null;
  }
}
