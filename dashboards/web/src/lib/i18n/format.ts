/** Fills in a message. `{n}` is a value; `{n#one|many}` is the value and the word that fits it. Pure. */
export type Params = Record<string, string | number>;

const SLOT = /\{(\w+)(?:#([^|}]*)\|([^}]*))?\}/g;

export function fillIn(message: string, params: Params): string {
  return message.replace(SLOT, (slot, name: string, one?: string, many?: string) => {
    const value = params[name];
    if (value === undefined) return slot;
    if (one === undefined) return String(value);
    return `${value} ${String(value) === '1' ? one : many}`;
  });
}

/** The names a message asks for. */
export function slots(message: string): string[] {
  return [...new Set([...message.matchAll(SLOT)].map((m) => m[1] ?? ''))].sort();
}

export type Lang = 'zh' | 'en';

/** What was chosen before, else what the browser prefers; Chinese for any Chinese, English for the rest. */
export function pickLang(stored: string | null, browser: string): Lang {
  if (stored === 'zh' || stored === 'en') return stored;
  return browser.toLowerCase().startsWith('zh') ? 'zh' : 'en';
}
