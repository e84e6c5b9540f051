/** What happened at a station beside its readings: incidents, and stretches in which a device said nothing. Pure. */
import type { Incident, SeriesAnswer } from './api';
import type { Step } from './series';
import type { Stream } from './streams';
import { DAY, HOUR } from './time';

export interface Mark {
  /** As the chart and the list beside it name it. */
  nth: number;
  kind: 'incident' | 'silence';
  station: string;
  device: string;
  at: number;
  /** The end of a silence; null while it lasts, and for an incident. */
  to: number | null;
  /** The device's word for an incident. */
  word: string;
  stream: Stream | null;
  note: string | null;
}
type Unnumbered = Omit<Mark, 'nth'>;

/** Whole steps without a reading from which on it is a silence: a device that reports by the hour may miss one. */
const QUIET: Record<Step, number> = { hour: 2, day: 1 };
const WIDTH: Record<Step, number> = { hour: HOUR, day: DAY };
/** Readings of so long before tell a silence that was under way from a device that is new. */
export const LOOK_BACK = 7 * DAY;

/** The silences of every device that `heard` has readings of, in `from..until`. */
export function silences(
  station: string,
  heard: SeriesAnswer,
  step: Step,
  from: number,
  until: number,
): Unnumbered[] {
  const times = new Map<string, Set<number>>();
  for (const { device, points } of heard.series) {
    const known = times.get(device) ?? new Set();
    for (const [at] of points) known.add(at);
    times.set(device, known);
  }
  return [...times].flatMap(([device, known]) => {
    const ends = [...[...known].sort((a, b) => a - b), null];
    return ends.flatMap((next, i): Unnumbered[] => {
      const before = ends[i - 1];
      if (before === undefined || before === null) return [];
      const at = before + WIDTH[step];
      if ((next ?? until) - at < QUIET[step] * WIDTH[step]) return [];
      if ((next ?? until) <= from || at >= until) return [];
      return [{ kind: 'silence', station, device, at, to: next, word: '', stream: null, note: null }];
    });
  });
}

/** The incidents of a station's devices in `from..until`. */
export function incidentsAt(
  station: string,
  devices: readonly string[],
  all: readonly Incident[],
  from: number,
  until: number,
): Unnumbered[] {
  return all
    .filter((one) => devices.includes(one.device) && one.at >= from && one.at < until)
    .map(({ at, device, kind, stream, note }) => {
      return { kind: 'incident', station, device, at, to: null, word: kind, stream, note };
    });
}

/** In order of time, from 1. */
export function numbered(marks: readonly Unnumbered[]): Mark[] {
  return [...marks].sort((a, b) => a.at - b.at).map((mark, i) => ({ ...mark, nth: i + 1 }));
}
