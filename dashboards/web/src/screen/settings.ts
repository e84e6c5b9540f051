/** What whoever hangs the screen may say in its address: `?lang=`, `?scene=`, `?seconds=`. Pure. */
import { pickLang, type Lang } from '../lib/i18n/format';
import { SCENES, type Scene } from './model';

export interface Settings {
  /** The language of each round of scenes, one after the other. */
  langs: Lang[];
  /** One scene for good, instead of all in turn. */
  only: Scene | null;
  seconds: number;
}

const SECONDS = 15;

export function settingsIn(search: string, browser: string): Settings {
  const said = new URLSearchParams(search);
  const lang = said.get('lang');
  const seconds = Number(said.get('seconds') ?? SECONDS);
  return {
    // Who reads Chinese is met twice as often.
    langs: lang === 'both' ? ['zh', 'zh', 'en'] : [pickLang(lang, browser)],
    only: SCENES.find((scene) => scene === said.get('scene')) ?? null,
    seconds: seconds >= 3 && seconds <= 600 ? seconds : SECONDS,
  };
}
