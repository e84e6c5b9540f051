/** What the station chart asks for and how the answer is made ready to draw. Pure; the drawing is in chart.ts. */
import type { SeriesAnswer } from './api';
import type { Cell } from './csv';
import type { Range } from './span';
import { STREAMS, type Stream } from './streams';
import { DAY, HOUR, rfc3339, zoneOffset } from './time';

export type Step = 'hour' | 'day';

export type Measure =
  | 'fill'
  | 'bin_weight'
  | 'deposits'
  | 'deposit_weight'
  | 'quality'
  | 'attributed'
  | 'camera_apart'
  | 'battery'
  | 'rssi'
  | 'temperature';

interface Kind {
  agg: 'mean' | 'sum' | 'last';
  draw: 'line' | 'bar';
  /** Between 0 and 1. */
  ratio?: boolean;
  /** The server knows it by the day alone. */
  daily?: boolean;
  /** The value is itself the number of readings. */
  count?: boolean;
}

export const KINDS: Record<Measure, Kind> = {
  fill: { agg: 'mean', draw: 'line', ratio: true },
  bin_weight: { agg: 'mean', draw: 'line' },
  deposits: { agg: 'sum', draw: 'bar', count: true },
  deposit_weight: { agg: 'sum', draw: 'bar' },
  quality: { agg: 'mean', draw: 'line', ratio: true },
  attributed: { agg: 'mean', draw: 'line', ratio: true },
  camera_apart: { agg: 'mean', draw: 'line', daily: true },
  battery: { agg: 'last', draw: 'line' },
  rssi: { agg: 'mean', draw: 'line' },
  temperature: { agg: 'mean', draw: 'line' },
};

/** What the selector offers; several measures are drawn above each other, on one time axis. */
export const VIEWS = {
  level: ['fill', 'bin_weight'],
  together: ['fill', 'bin_weight', 'deposits'],
  fill: ['fill'],
  bin_weight: ['bin_weight'],
  deposits: ['deposits'],
  deposit_weight: ['deposit_weight'],
  quality: ['quality'],
  attributed: ['attributed'],
  camera_apart: ['camera_apart'],
  battery: ['battery'],
  rssi: ['rssi'],
  temperature: ['temperature'],
} as const satisfies Record<string, readonly Measure[]>;
export type View = keyof typeof VIEWS;

export function isView(value: string | undefined): value is View {
  return value !== undefined && Object.hasOwn(VIEWS, value);
}
export function isStep(value: string | undefined): value is Step {
  return value === 'hour' || value === 'day';
}

/** The steps that a view has: what is known by the day alone has no hours. */
export function stepsOf(view: View): readonly Step[] {
  return VIEWS[view].some((m: Measure) => KINDS[m].daily) ? ['day'] : ['hour', 'day'];
}

/** The ranges that are looked at by the hour: what bins report all day long for up to a month, what people bring for less. */
const HOURLY: Record<'bins' | 'sums' | 'shares', readonly Range[]> = {
  bins: ['day', 'week', 'month'],
  sums: ['day', 'week'],
  shares: ['day'],
};

/** A share of one deposit is no share; ninety days of hours would be more points than pixels. */
export function defaultStep(range: Range, view: View): Step {
  if (stepsOf(view).length === 1) return 'day';
  const first = KINDS[VIEWS[view][0]];
  const kind =
    view === 'quality' || view === 'attributed' ? 'shares' : first.draw === 'bar' ? 'sums' : 'bins';
  return HOURLY[kind].includes(range) ? 'hour' : 'day';
}

/** One step of a line: its value, and how many readings it was made of where that is known. */
export interface Reading {
  at: number;
  value: number;
  n: number | null;
}

export interface Line {
  device: string;
  stream: Stream | null;
  readings: Reading[];
}

/** One measure of one station. */
export interface Counted {
  station: string;
  measure: Measure;
  unit: string;
  agg: string;
  step: Step;
  lines: Line[];
}

/** An answer with the numbers of readings behind it, oldest first. */
export function counted(
  station: string,
  measure: Measure,
  step: Step,
  values: SeriesAnswer,
  counts: SeriesAnswer | null,
): Counted {
  const line = ({ device, stream, points }: SeriesAnswer['series'][number]): Line => {
    const same = counts?.series.find((s) => s.device === device && s.stream === stream);
    const numbers = new Map(same?.points);
    const reading = ([at, value]: [number, number]): Reading => ({
      at,
      value,
      n: KINDS[measure].count ? value : (numbers.get(at) ?? null),
    });
    return { device, stream, readings: points.map(reading).sort((a, b) => a.at - b.at) };
  };
  const { unit, agg } = values;
  const lines = values.series.map(line).sort((a, b) => order(a) - order(b));
  return { station, measure, unit, agg, step, lines };
}

/** In the field's order, which is also the order in which bars stand on each other. */
const order = ({ stream }: Line) => (stream ? STREAMS.indexOf(stream) : -1);

export interface DrawPoint extends Reading {
  /** The site's wall clock written as if it were UTC, so that the axis ticks fall on local hours and midnights. */
  wall: number;
  gap: boolean;
  /** Both neighbours are missing: a line would not show it. */
  alone: boolean;
}

/** A stretch of wall-clock time, `from..to`. */
export interface Window {
  from: number;
  to: number;
}

/** Wall-clock time of many instants: the zone is asked once an hour of them, for asking is slow. */
export function wallClock(zone: string): (at: number) => number {
  let [hour, offset] = [NaN, 0];
  return (at) => {
    const now = Math.floor(at / HOUR);
    if (now !== hour) [hour, offset] = [now, zoneOffset(now * HOUR, zone)];
    return at + offset;
  };
}

const width = (step: Step) => (step === 'day' ? DAY : HOUR);

/** Points ready to draw. A silence longer than one and a half steps breaks the line: nobody knows what was there. */
export function drawPoints(readings: readonly Reading[], step: Step, zone: string): DrawPoint[] {
  const most = width(step) * 1.5;
  const wall = wallClock(zone);
  const far = (i: number) => {
    const [a, b] = [readings[i], readings[i + 1]];
    return !a || !b || b.at - a.at > most;
  };
  return readings.flatMap((reading, i) => {
    const point = { ...reading, wall: wall(reading.at), gap: false, alone: far(i - 1) && far(i) };
    return i + 1 < readings.length && far(i)
      ? [point, { ...point, wall: point.wall + 1, gap: true }]
      : [point];
  });
}

/** Beyond so many bars they are as narrow as lines: no room for a pattern, and drawn in one go. */
export const NARROW = 200;

/** The same times for every line, so that bars stand on each other: the chart piles them up by their place in the list. */
export function aligned(lines: readonly DrawPoint[][]): DrawPoint[][] {
  const times = [...new Set(lines.flatMap((points) => points.map((p) => p.at)))].sort((a, b) => a - b);
  const all = new Map(lines.flatMap((points) => points.map((p) => [p.at, p] as const)));
  return lines.map((points) => {
    const own = new Map(points.map((p) => [p.at, p]));
    return times.map((at) => own.get(at) ?? { ...all.get(at)!, value: 0, n: null, gap: true, alone: false });
  });
}

/** The streams that are spoken of, in the field's order. */
export function streamsIn(all: readonly Counted[]): Stream[] {
  return STREAMS.filter((s) => all.some((one) => one.lines.some((line) => line.stream === s)));
}

/** The devices that are spoken of, by name. */
export function devicesIn(all: readonly Counted[]): string[] {
  return [...new Set(all.flatMap((one) => one.lines.map((line) => line.device)))].sort();
}

/** What the toggles leave over. */
export function keep(one: Counted, hidden: ReadonlySet<string>): Counted {
  const shown = (line: Line) => !hidden.has(line.device) && !(line.stream && hidden.has(line.stream));
  return { ...one, lines: one.lines.filter(shown) };
}

/** What lies in a window of the wall clock; all of it without one. */
export function within(one: Counted, window: Window | null, zone: string): Counted {
  if (!window) return one;
  const wall = wallClock(zone);
  const inside = ({ at }: Reading) => wall(at) >= window.from && wall(at) <= window.to;
  return { ...one, lines: one.lines.map((line) => ({ ...line, readings: line.readings.filter(inside) })) };
}

/** The next of 1, 2, 4, 8 times a power of ten: quarters of it are short numbers. */
function roundUp(value: number): number {
  const ten = 10 ** Math.floor(Math.log10(Math.max(value, 1e-9)));
  return ten * ([1, 2, 4, 8].find((step) => step * ten >= value) ?? 10);
}

/** One scale that all of them fit on; null where there is nothing to draw. */
export function scaleFor(all: readonly Counted[]): { min: number; max: number } | null {
  const values = all.flatMap((one) => {
    const readings = one.lines.flatMap((line) => line.readings);
    if (KINDS[one.measure].draw === 'line') return readings.map((r) => r.value);
    // Bars stand on each other: the tallest pile counts.
    const piles = new Map<number, number>();
    for (const { at, value } of readings) piles.set(at, (piles.get(at) ?? 0) + value);
    return [...piles.values()];
  });
  if (values.length === 0) return null;
  const [low, high] = values.reduce(([l, h], v) => [Math.min(l, v), Math.max(h, v)], [0, 0]);
  const most = roundUp(Math.max(high, -low));
  return { min: low < 0 ? -most : 0, max: most };
}

/** How many points stand for how many readings. */
export function thinned(all: readonly Counted[]): { points: number; readings: number | null } {
  const readings = all.flatMap((one) => one.lines.flatMap((line) => line.readings));
  const known = readings.every(({ n }) => n !== null);
  return {
    points: readings.length,
    readings: known ? readings.reduce((sum, { n }) => sum + (n ?? 0), 0) : null,
  };
}

/** How many deposits name a household, of how many; null where that is not known. */
export function attribution(one: Counted): { named: number; all: number } | null {
  const readings = one.lines.flatMap((line) => line.readings);
  if (readings.length === 0 || readings.some(({ n }) => n === null)) return null;
  const sum = (part: (reading: Reading) => number) => readings.reduce((total, r) => total + part(r), 0);
  return { named: sum(numerator), all: sum(({ n }) => n ?? 0) };
}

/** Of a share: how many it is of its readings. */
export function numerator({ value, n }: Reading): number {
  return Math.round(value * (n ?? 0));
}

export const CSV_HEADER = [
  'time_local',
  'time_utc',
  'station',
  'measure',
  'unit',
  'aggregate',
  'step',
  'device',
  'stream',
  'value',
  'numerator',
  'readings',
];

/** The chart's own numbers, one row a point, oldest first, in the API's units. */
export function csvRows(all: readonly Counted[], zone: string): Cell[][] {
  const rows = all.flatMap((one) =>
    one.lines.flatMap(({ device, stream, readings }) =>
      readings.map((reading) => {
        const { at, value, n } = reading;
        const times: Cell[] = [rfc3339(at, zone), new Date(at).toISOString()];
        const what: Cell[] = [one.station, one.measure, one.unit, one.agg, one.step, device, stream ?? ''];
        const share = one.measure === 'attributed' && n !== null ? numerator(reading) : null;
        return { at, row: [...times, ...what, value, share, n] };
      }),
    ),
  );
  return rows.sort((a, b) => a.at - b.at).map(({ row }) => row);
}
