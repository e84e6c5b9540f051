/**
 * An act that somebody is about to do: what it says before, what it asks for, and what became of it. One at a time, once
 * each. What was typed stays until the act is done, also while another page is looked at.
 */
import { ApiError, end, post } from './api';
import type { Params } from './i18n/format';
import type { Key } from './i18n';

/** A text with its values, so that it is in the reader's language whenever it is read. */
export type Said = readonly [key: Key, params?: Params];

export interface Field {
  name: string;
  label: Key;
  kind: 'words' | 'text' | 'day' | 'time' | 'number' | 'choice';
  hint?: Said;
  /** What it begins with. */
  value?: string;
  options?: readonly { value: string; label?: Key; said?: Said }[];
  least?: string | number;
  most?: string | number;
}

export interface Ask {
  /** Of the act and what it is done to: what was typed is kept under it. */
  id: string;
  title: Said;
  /** What will happen, to whom and when. */
  says: readonly Said[];
  fields: readonly Field[];
  go: Key;
  /** It takes something from somebody, or cannot be taken back. */
  grave?: boolean;
  path: readonly string[];
  /** What is sent; null where what the path names is ended. */
  body: ((values: Readonly<Record<string, string>>) => object) | null;
  /** Told when it is done. */
  done: Said;
  /** What takes it back, offered then. */
  undo?: () => Ask | null;
}

export interface Refusal {
  error: ApiError | null;
  /** The field that is wrong. */
  field: string | null;
}

const MOST_WORDS = 4000;

export class Acts {
  asked = $state.raw<Ask | null>(null);
  busy = $state(false);
  refusal = $state.raw<Refusal | null>(null);
  /** What was done last. */
  done = $state.raw<Ask | null>(null);
  #own = $state<Record<string, Record<string, string>>>({});
  readonly #drafts: Record<string, Record<string, string>>;
  readonly #after: (answer: unknown) => unknown;

  /**
   * `after` is given the answer to every act that was done, and null where somebody was faster: what is shown may be old.
   * `drafts` is where what was typed is kept, for whoever keeps it longer than this.
   */
  constructor(after: (answer: unknown) => unknown, drafts?: Record<string, Record<string, string>>) {
    this.#after = after;
    this.#drafts = drafts ?? this.#own;
  }

  ask(ask: Ask): void {
    if (this.busy) return;
    this.#drafts[ask.id] ??= {};
    this.refusal = null;
    this.done = null;
    this.asked = ask;
  }

  /** Puts it aside; what was typed is there when it is asked again. */
  close(): void {
    if (!this.busy) this.asked = null;
  }

  /** What was typed. Until then what the field begins with now: a day that nobody chose is not kept for a later one. */
  value(field: string): string {
    const { asked } = this;
    if (asked === null) return '';
    const begins = asked.fields.find(({ name }) => name === field)?.value;
    return this.#drafts[asked.id]?.[field] ?? begins ?? '';
  }

  type(field: string, value: string): void {
    if (this.asked) this.#drafts[this.asked.id]![field] = value;
    if (this.refusal?.field === field) this.refusal = null;
  }

  /** Does it, unless it is being done. */
  async go(): Promise<void> {
    const ask = this.asked;
    if (ask === null || this.busy) return;
    const wrong = ask.fields.find((field) => !this.#fits(field));
    if (wrong) {
      this.refusal = { error: null, field: wrong.name };
      return;
    }
    const values = Object.fromEntries(ask.fields.map(({ name }) => [name, this.value(name)]));
    this.busy = true;
    this.refusal = null;
    try {
      const answer =
        ask.body === null ? await end([...ask.path]) : await post<unknown>([...ask.path], ask.body(values));
      delete this.#drafts[ask.id];
      this.asked = null;
      this.done = ask;
      this.busy = false;
      await this.#after(answer);
    } catch (failure) {
      const error = failure instanceof ApiError ? failure : new ApiError(0, 'no answer', String(failure));
      this.refusal = { error, field: error.status === 422 ? (ask.fields.at(-1)?.name ?? null) : null };
      this.busy = false;
      if (error.status === 409 || error.status === 404) await this.#after(null);
    }
  }

  #fits(field: Field): boolean {
    const value = this.value(field.name).trim();
    if (value === '') return false;
    if (field.kind === 'words') return [...value].length <= MOST_WORDS;
    if (field.kind === 'number' && !/^\d+$/.test(value)) return false;
    const [given, least, most] =
      field.kind === 'number'
        ? [Number(value), field.least ?? 0, field.most ?? Infinity]
        : [value, field.least ?? '', field.most ?? '\uffff'];
    return given >= least && given <= most;
  }
}
