/** Text from outside, made fit to look at. Escaping HTML is Svelte's work; this is about deceptive characters. */

// Bidirectional controls and invisible characters can make a device's bytes read as something they are not.
const DECEPTIVE =
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]/g;

/** Shows control, bidirectional and invisible characters as their escapes; keeps tab and line feed. */
export function visible(text: string): string {
  return text.replace(DECEPTIVE, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** "3 gaps, 17 records" as numbers. Bounds are inclusive. */
export function countMissing(missing: ReadonlyArray<readonly [number, number]>): {
  gaps: number;
  records: number;
} {
  return { gaps: missing.length, records: missing.reduce((sum, [a, b]) => sum + Math.max(0, b - a + 1), 0) };
}

/** "41-55, 90", with at most `limit` gaps named. */
export function describeMissing(missing: ReadonlyArray<readonly [number, number]>, limit = 4): string {
  const named = missing.slice(0, limit).map(([a, b]) => (a === b ? `${a}` : `${a}–${b}`));
  return named.join(', ') + (missing.length > limit ? ', …' : '');
}
