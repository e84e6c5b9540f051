/**
 * Server-sent events over fetch. EventSource gives up for good on one 503 and cannot notice a line that went
 * silent; this one heals: it resumes with Last-Event-ID, backs off with jitter, and a watchdog cuts a
 * connection on which nothing, not even a keep-alive comment, has arrived for a while.
 */
export interface SseEvent {
  event: string;
  data: string;
  id: string | null;
}

/** A message larger than this is no message of ours. */
const MAX_BUFFER = 1 << 20;

/** Splits a text stream into events as the HTML standard says (CR, LF and CRLF all end a line). */
export class SseParser {
  /** The id to resume after. */
  lastId: string | null = null;
  /** The pause the server asked for, in ms. */
  retry: number | null = null;
  #buffer = '';
  #event = '';
  #data: string[] = [];
  #fresh = true;

  push(chunk: string): SseEvent[] {
    this.#buffer += this.#fresh ? chunk.replace(/^\uFEFF/, '') : chunk;
    if (chunk) this.#fresh = false;
    if (this.#buffer.length > MAX_BUFFER) throw new Error('an event larger than 1 MiB');
    const events: SseEvent[] = [];
    for (;;) {
      const end = this.#buffer.search(/[\r\n]/);
      if (end < 0) return events;
      // A CR at the very end may be half of a CRLF that has not arrived yet.
      if (this.#buffer[end] === '\r' && end === this.#buffer.length - 1) return events;
      const width = this.#buffer.startsWith('\r\n', end) ? 2 : 1;
      const line = this.#buffer.slice(0, end);
      this.#buffer = this.#buffer.slice(end + width);
      const event = this.#line(line);
      if (event) events.push(event);
    }
  }

  #line(line: string): SseEvent | null {
    if (line === '') return this.#dispatch();
    const colon = line.indexOf(':');
    if (colon === 0) return null;
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (name === 'event') this.#event = value;
    else if (name === 'data') this.#data.push(value);
    else if (name === 'id' && !value.includes('\0')) this.lastId = value || null;
    else if (name === 'retry' && /^\d+$/.test(value)) this.retry = Number(value);
    return null;
  }

  #dispatch(): SseEvent | null {
    const event = { event: this.#event || 'message', data: this.#data.join('\n'), id: this.lastId };
    const empty = this.#data.length === 0;
    this.#event = '';
    this.#data = [];
    return empty ? null : event;
  }
}

export type LiveState = 'connecting' | 'live' | 'waiting' | 'stopped';

export interface LiveHandlers {
  event(event: SseEvent): void;
  /** `retryInMs` is set while waiting. */
  state(state: LiveState, retryInMs: number | null): void;
}

/** What the stream needs from the world; tests give their own. */
export interface LiveWorld {
  fetch(url: string, init: RequestInit): Promise<Response>;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: unknown): void;
  /** 0..1 */
  random(): number;
}

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 30_000;
/** Three times the server's keep-alive of 15 s. */
const SILENCE = 45_000;

/** Half to all of a pause that doubles with every failure: many pages must not come back in step. */
export function backoff(failures: number, base: number, random: number): number {
  const pause = Math.min(LONGEST_PAUSE, base * 2 ** Math.min(failures, 10));
  return Math.round(pause * (0.5 + random / 2));
}

export class LiveStream {
  readonly #url: string;
  readonly #handlers: LiveHandlers;
  readonly #world: LiveWorld;
  #lastId: string | null = null;
  #base = FIRST_PAUSE;
  #failures = 0;
  #abort: AbortController | null = null;
  #pause: unknown = null;
  #watchdog: unknown = null;
  #running = false;

  constructor(url: string, handlers: LiveHandlers, world: LiveWorld) {
    this.#url = url;
    this.#handlers = handlers;
    this.#world = world;
  }

  start(): void {
    if (this.#running) return;
    this.#running = true;
    void this.#connect();
  }

  stop(): void {
    this.#running = false;
    this.#clear();
    this.#abort?.abort();
    this.#handlers.state('stopped', null);
  }

  /** Tries at once instead of waiting out the pause (the network came back, the reader pressed the button). */
  hurry(): void {
    if (!this.#running || this.#pause === null) return;
    this.#clear();
    void this.#connect();
  }

  #clear(): void {
    if (this.#pause !== null) this.#world.clearTimeout(this.#pause);
    if (this.#watchdog !== null) this.#world.clearTimeout(this.#watchdog);
    this.#pause = null;
    this.#watchdog = null;
  }

  #feed(abort: AbortController): void {
    if (this.#watchdog !== null) this.#world.clearTimeout(this.#watchdog);
    this.#watchdog = this.#world.setTimeout(() => abort.abort(), SILENCE);
  }

  async #connect(): Promise<void> {
    const abort = new AbortController();
    this.#abort = abort;
    this.#handlers.state('connecting', null);
    this.#feed(abort);
    try {
      await this.#read(abort);
    } catch {
      // Every way of failing ends the same: wait, then resume after the last event seen.
    }
    this.#clear();
    if (!this.#running) return;
    const pause = backoff(this.#failures, this.#base, this.#world.random());
    this.#failures += 1;
    this.#handlers.state('waiting', pause);
    this.#pause = this.#world.setTimeout(() => {
      this.#pause = null;
      void this.#connect();
    }, pause);
  }

  async #read(abort: AbortController): Promise<void> {
    const headers: Record<string, string> = { accept: 'text/event-stream' };
    if (this.#lastId !== null) headers['last-event-id'] = this.#lastId;
    const response = await this.#world.fetch(this.#url, {
      headers,
      signal: abort.signal,
      cache: 'no-store',
      credentials: 'same-origin',
    });
    // The server no longer knows our place (restored from a backup): start afresh next time.
    if (response.status === 400 || response.status === 410) this.#lastId = null;
    if (!response.ok || !response.body) throw new Error(`live answered ${response.status}`);
    this.#handlers.state('live', null);
    const parser = new SseParser();
    parser.lastId = this.#lastId;
    const reader = response.body.getReader();
    const decoder = new TextDecoder();
    // An aborted fetch rejects the read by itself; a body from elsewhere (a test's) must be told.
    abort.signal.addEventListener('abort', () => void reader.cancel().catch(() => undefined), { once: true });
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      this.#feed(abort);
      this.#deliver(parser, decoder.decode(value, { stream: true }));
    }
  }

  #deliver(parser: SseParser, text: string): void {
    const events = parser.push(text);
    if (parser.retry !== null) this.#base = Math.max(100, Math.min(parser.retry, LONGEST_PAUSE));
    for (const event of events) {
      this.#failures = 0;
      this.#handlers.event(event);
      this.#lastId = event.id;
    }
  }
}
