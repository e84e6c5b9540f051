/** One thing asked of the server, with what became of it. A newer question cancels the older one's answer. */
import { ApiError } from './api';

export class Resource<T> {
  data = $state.raw<T | null>(null);
  error = $state.raw<ApiError | null>(null);
  loading = $state(false);
  #abort: AbortController | null = null;

  /** Keeps the old data on failure, so that the page can say "as of before" instead of going blank. */
  async load(ask: (signal: AbortSignal) => Promise<T>): Promise<void> {
    this.#abort?.abort();
    const abort = new AbortController();
    this.#abort = abort;
    this.loading = true;
    try {
      const data = await ask(abort.signal);
      if (abort.signal.aborted) return;
      this.data = data;
      this.error = null;
    } catch (error) {
      if (abort.signal.aborted) return;
      this.error = error instanceof ApiError ? error : new ApiError(0, 'no answer', String(error));
    }
    this.loading = false;
  }

  /** Forgets everything, and whatever is still under way. */
  clear(): void {
    this.#abort?.abort();
    this.data = null;
    this.error = null;
    this.loading = false;
  }
}
