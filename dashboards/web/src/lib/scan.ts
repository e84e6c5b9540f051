/** What a scanned or typed code may be. Pure. */

export type Code = { code: string } | { wrong: 'empty' | 'long' | 'login_code' | 'letters' };

/** At most so many characters, as devices send them. */
const CODE_MOST = 64;

/**
 * A household's or a bag's code as it is printed. The letter that residents log in with has a QR code too, and that one is a
 * secret of the household's: it is named and not taken.
 */
export function readCode(text: string): Code {
  const code = text.trim();
  if (code === '') return { wrong: 'empty' };
  if (/#code=|^https?:/i.test(code)) return { wrong: 'login_code' };
  if ([...code].length > CODE_MOST) return { wrong: 'long' };
  // Control characters, and halves of pairs, which no server takes.
  if (/[\p{Cc}\p{Cs}]/u.test(code)) return { wrong: 'letters' };
  return { code };
}

/** At most so many characters, as the server takes them. */
const PHOTO_MOST = 200;

/** What a picture is called elsewhere; null where it has no name, undefined for what can be none. */
export function readPhoto(text: string): string | null | undefined {
  const photo = text.trim();
  if (photo === '') return null;
  return [...photo].length > PHOTO_MOST || /[\p{Cc}\p{Cs}]/u.test(photo) ? undefined : photo;
}

/** Kilograms as they are typed, with a comma or a point, in grams; null where it is no weight of a bag. */
export function readWeight(text: string): number | null {
  const match = /^\s*(\d{1,3})(?:[.,](\d{1,3}))?\s*$/.exec(text);
  if (!match) return null;
  const grams = Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0'));
  return grams <= 200_000 ? grams : null;
}
