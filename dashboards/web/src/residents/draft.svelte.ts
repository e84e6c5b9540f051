/** An objection that is being written. It outlives whatever it is shown in: a redrawn list, an expired session. */
import { post, Refused, type Objection, type Read } from './ask';
import { home } from './home.svelte';
import type { Key } from './i18n/zh';
import { t } from './words.svelte';

export const REASONS = ['not_ours', 'sorted', 'card', 'other'] as const;
export type Because = (typeof REASONS)[number];
/** Readings that one objection may name. */
const READINGS_MOST = 32;
/** Readings an objection to a notice begins with: those that say the worst. */
const WORST = 3;
const OFFERED = 8;

class Draft {
  /** The place of a reading, or the notice; null: nothing is being written. */
  about = $state<string | null>(null);
  offered = $state.raw<Read[]>([]);
  chosen = $state.raw<string[]>([]);
  because = $state<Because>('not_ours');
  words = $state('');
  busy = $state(false);
  /** What is wrong with it, or why it did not go. */
  wrong = $state<Key | null>(null);
  detail = $state('');
  sent = $state(false);

  constructor() {
    home.onForget(() => this.drop());
  }

  ofReading(read: Read): void {
    this.#open(read.place, [read], [read.place]);
  }

  /** Of a notice: what judged worst is chosen, and may be changed. */
  ofNotice(reads: Read[]): void {
    const counted = reads.filter((read) => read.flags.length === 0);
    const worst = counted
      .slice()
      .sort((a, b) => (a.quality ?? 1) - (b.quality ?? 1))
      .slice(0, OFFERED);
    this.#open(
      'notice',
      worst,
      worst.slice(0, WORST).map((read) => read.place),
    );
  }

  #open(about: string, offered: Read[], chosen: string[]): void {
    this.about = about;
    this.offered = offered;
    this.chosen = chosen;
    this.wrong = null;
    this.sent = false;
  }

  choose(place: string, on: boolean): void {
    const others = this.chosen.filter((other) => other !== place);
    this.chosen = on ? others.concat(place).slice(0, READINGS_MOST) : others;
  }

  /** Puts it away; the words stay for the next time. */
  close(): void {
    this.about = null;
    this.wrong = null;
  }

  drop(): void {
    this.close();
    this.words = '';
    this.because = 'not_ours';
    this.sent = false;
  }

  async send(edition: number): Promise<void> {
    if (this.busy || home.token === null) return;
    this.wrong = this.#lacks();
    if (this.wrong) return;
    this.busy = true;
    const said = this.because === 'other' ? [] : [t(`because.${this.because}`)];
    const body = {
      edition,
      household: home.token,
      readings: this.chosen,
      words: said.concat(this.words.trim() || []).join('\n'),
    };
    try {
      await post<Objection>(['objections'], body);
      this.drop();
      this.sent = true;
      await home.load();
    } catch (error) {
      await this.#failed(error instanceof Refused ? error : new Refused(0, String(error)));
    } finally {
      this.busy = false;
    }
  }

  #lacks(): Key | null {
    if (this.chosen.length === 0) return 'object.none_chosen';
    return this.because === 'other' && this.words.trim() === '' ? 'object.no_words' : null;
  }

  async #failed(error: Refused): Promise<void> {
    this.detail = error.status >= 400 && error.status !== 401 ? error.detail : '';
    if (error.status === 401) {
      home.expire();
      return;
    }
    if (error.rule === 'already_decided') {
      // One is pending: this one, whose answer was lost on the way, or another person's; then the words are still good.
      this.close();
      this.sent = true;
      await home.load();
      return;
    }
    if (error.rule === 'window_closed' || error.rule === 'wrong_state') {
      this.wrong = 'object.closed';
      await home.load();
      return;
    }
    this.wrong = error.status === 0 ? 'error.network_kept' : 'object.refused';
  }
}

export const draft = new Draft();
