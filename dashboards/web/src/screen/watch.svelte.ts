/** What the screen knows: the last answer, when it came, and in which language it is told. Asks again and again. */
import { fillIn, type Lang, type Params } from '../lib/i18n/format';
import { SiteClock } from '../lib/clock';
import { ask, pause, tokenIn } from './ask';
import { en } from './i18n/en';
import { zh, type Key } from './i18n/zh';
import type { ScreenData } from './model';
import { settingsIn } from './settings';

class Watch {
  readonly settings = settingsIn(location.search, navigator.language);
  readonly still = matchMedia('(prefers-reduced-motion: reduce)').matches;
  data = $state.raw<ScreenData | null>(null);
  hasToken = $state(false);
  refused = $state(false);
  lang = $state<Lang>(this.settings.langs[0] ?? 'zh');
  /** The site's time, and how long ago the server was last heard, each told once a second. */
  now = $state<number | null>(null);
  silentFor = $state(0);

  #token: string | null = null;
  #tag: string | null = null;
  #heard: number | null = null;
  #clock = new SiteClock(() => performance.now());

  /** Asks until the page is left. */
  async run(): Promise<void> {
    this.#take();
    addEventListener('hashchange', () => this.#take());
    setInterval(() => this.#tick(), 1_000);
    for (let failures = 0; ;) {
      failures = (await this.#step()) ? 0 : failures + 1;
      await new Promise((go) => setTimeout(go, pause(failures)));
    }
  }

  #take(): void {
    this.#token = tokenIn(location.hash);
    this.#tag = null;
    this.refused = false;
    this.hasToken = this.#token !== null;
  }

  /** Asks once; whether the server answered well. */
  async #step(): Promise<boolean> {
    if (this.#token === null) return true;
    const answer = await ask(this.#token, this.#tag, fetch);
    this.refused = answer.kind === 'refused';
    if (answer.kind === 'refused' || answer.kind === 'silent') return false;
    this.#heard = performance.now();
    if (answer.kind === 'news') {
      const { site } = answer.data;
      // A server of another version has another page.
      if (this.data && this.data.site.version !== site.version) location.reload();
      this.data = answer.data;
      this.#tag = answer.tag;
      this.#clock.set(site.now, site.speed);
    }
    this.#tick();
    return true;
  }

  #tick(): void {
    this.now = this.#clock.now();
    if (this.#heard !== null) this.silentFor = Math.floor((performance.now() - this.#heard) / 1_000);
  }
}

export const watch = new Watch();

/** The message in the language of the moment. */
export function t(key: Key, params: Params = {}): string {
  return fillIn((watch.lang === 'zh' ? zh : en)[key], params);
}

export function number(value: number): string {
  return new Intl.NumberFormat(watch.lang === 'zh' ? 'zh-CN' : 'en-GB').format(value);
}
