/**
 * Time in the site's zone. Nothing here may read the browser's zone: an inspector abroad, or a laptop set
 * wrongly, must see the same hours as the notice board of the estate.
 *
 * Instants are milliseconds since 1970 UTC; days are "YYYY-MM-DD" calendar dates of the zone.
 */
export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

interface Parts {
  year: string;
  month: string;
  day: string;
  hour: string;
  minute: string;
  second: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

function formatFor(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-GB', {
      timeZone: zone,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      year: 'numeric',
      month: '2-digit',
      day: '2-digit',
      hour: '2-digit',
      minute: '2-digit',
      second: '2-digit',
    });
    formats.set(zone, format);
  }
  return format;
}

function parts(ms: number, zone: string): Parts {
  const found: Record<string, string> = {};
  for (const { type, value } of formatFor(zone).formatToParts(ms)) found[type] = value;
  return found as unknown as Parts;
}

/** "2026-05-20" */
export function dayOf(ms: number, zone: string): string {
  const p = parts(ms, zone);
  return `${p.year.padStart(4, '0')}-${p.month}-${p.day}`;
}

/** "14:03:09" */
export function timeOf(ms: number, zone: string): string {
  const p = parts(ms, zone);
  return `${p.hour}:${p.minute}:${p.second}`;
}

/** "2026-05-20 14:03" */
export function dateTimeOf(ms: number, zone: string): string {
  return `${dayOf(ms, zone)} ${timeOf(ms, zone).slice(0, 5)}`;
}

/** How far the zone's wall clock is ahead of UTC at that instant, in milliseconds. */
export function zoneOffset(ms: number, zone: string): number {
  const p = parts(ms, zone);
  const wall = Date.UTC(+p.year, +p.month - 1, +p.day, +p.hour, +p.minute, +p.second);
  return wall - Math.floor(ms / 1000) * 1000;
}

/** RFC 3339 with the zone's own offset, for files that leave the page. */
export function rfc3339(ms: number, zone: string): string {
  const minutes = Math.round(zoneOffset(ms, zone) / 60_000);
  const sign = minutes < 0 ? '-' : '+';
  const two = (n: number) => String(n).padStart(2, '0');
  const offset = `${sign}${two(Math.floor(Math.abs(minutes) / 60))}:${two(Math.abs(minutes) % 60)}`;
  return `${dayOf(ms, zone)}T${timeOf(ms, zone)}${offset}`;
}

function utcOf(day: string): number {
  return Date.parse(`${day}T00:00:00Z`);
}

/** The instant at which that calendar day begins in the zone. */
export function midnight(day: string, zone: string): number {
  const wall = utcOf(day);
  // Twice, because the offset that counts is the one in force at the answer, not at the guess.
  const guess = wall - zoneOffset(wall, zone);
  return wall - zoneOffset(guess, zone);
}

/** Calendar arithmetic only; a day of 23 or 25 hours is still one day. */
export function addDays(day: string, n: number): string {
  return new Date(utcOf(day) + n * DAY).toISOString().slice(0, 10);
}

/** 0 = Monday ... 6 = Sunday. */
export function weekday(day: string): number {
  return (new Date(utcOf(day)).getUTCDay() + 6) % 7;
}

/** Every day from `first` to `last`, both included; empty when they are the wrong way round. */
export function daysBetween(first: string, last: string): string[] {
  const days: string[] = [];
  for (let day = first; day <= last && days.length < 1000; day = addDays(day, 1)) days.push(day);
  return days;
}
