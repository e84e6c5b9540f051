/** What the station chart asks for and how the answer is made ready to draw. Pure; the drawing is in chart.ts. */
import type { SeriesAnswer } from './api';
import type { Cell } from './csv';
import { STREAMS, type Stream } from './streams';
import { DAY, HOUR, addDays, dayOf, midnight, rfc3339, zoneOffset } from './time';

export type Step = 'hour' | 'day';
export type Range = '24h' | '7d' | '30d' | '90d';
export const RANGES: readonly Range[] = ['24h', '7d', '30d', '90d'];
const RANGE_DAYS: Record<Range, number> = { '24h': 1, '7d': 7, '30d': 30, '90d': 90 };

export type Measure =
  'fill' | 'bin_weight' | 'deposits' | 'deposit_weight' | 'quality' | 'battery' | 'rssi' | 'temperature';

interface Kind {
  agg: 'mean' | 'sum' | 'last';
  draw: 'line' | 'bar';
  /** Whether the measure is of a bin (a stream) or of the device. */
  streams: boolean;
}

export const KINDS: Record<Measure, Kind> = {
  fill: { agg: 'mean', draw: 'line', streams: true },
  bin_weight: { agg: 'mean', draw: 'line', streams: true },
  deposits: { agg: 'sum', draw: 'bar', streams: true },
  deposit_weight: { agg: 'sum', draw: 'bar', streams: true },
  quality: { agg: 'mean', draw: 'line', streams: true },
  battery: { agg: 'last', draw: 'line', streams: false },
  rssi: { agg: 'mean', draw: 'line', streams: false },
  temperature: { agg: 'mean', draw: 'line', streams: false },
};

/** What the selector offers; the first draws fill above weight, on one time axis. */
export const VIEWS = {
  level: ['fill', 'bin_weight'],
  fill: ['fill'],
  bin_weight: ['bin_weight'],
  deposits: ['deposits'],
  deposit_weight: ['deposit_weight'],
  quality: ['quality'],
  battery: ['battery'],
  rssi: ['rssi'],
  temperature: ['temperature'],
} as const satisfies Record<string, readonly Measure[]>;
export type View = keyof typeof VIEWS;

export function isView(value: string | undefined): value is View {
  return value !== undefined && Object.hasOwn(VIEWS, value);
}
export function isRange(value: string | undefined): value is Range {
  return RANGES.some((r) => r === value);
}
export function isStep(value: string | undefined): value is Step {
  return value === 'hour' || value === 'day';
}

/** Hours for up to a week; 90 days of hours would be more points than pixels. */
export function defaultStep(range: Range): Step {
  return RANGE_DAYS[range] <= 7 ? 'hour' : 'day';
}

/** The span to ask for; it begins on a whole hour, or at the site's local midnight. */
export function windowOf(range: Range, step: Step, now: number, zone: string): { from: number; to: number } {
  const to = Math.ceil(now);
  if (step === 'day') return { from: midnight(addDays(dayOf(now, zone), 1 - RANGE_DAYS[range]), zone), to };
  return { from: Math.floor((now - RANGE_DAYS[range] * DAY) / HOUR) * HOUR, to };
}

export interface DrawPoint {
  /** The site's wall clock written as if it were UTC, so that the axis ticks fall on local hours and midnights. */
  wall: number;
  /** The true instant. */
  at: number;
  value: number | null;
  /** Both neighbours are missing: a line would not show it. */
  alone: boolean;
}

/** Points ready to draw. A silence longer than one and a half steps breaks the line: nobody knows what was there. */
export function drawPoints(points: readonly [number, number][], step: Step, zone: string): DrawPoint[] {
  const most = (step === 'day' ? DAY : HOUR) * 1.5;
  const sorted = [...points].sort((a, b) => a[0] - b[0]);
  const far = (i: number) => {
    const a = sorted[i];
    const b = sorted[i + 1];
    return !a || !b || b[0] - a[0] > most;
  };
  return sorted.flatMap(([at, value], i) => {
    const wall = at + zoneOffset(at, zone);
    const point = { wall, at, value, alone: far(i - 1) && far(i) };
    return i + 1 < sorted.length && far(i)
      ? [point, { wall: wall + 1, at: at + 1, value: null, alone: false }]
      : [point];
  });
}

/** Fills are ratios, shown in percent; everything else is shown as it comes. */
export function shownValue(measure: Measure, value: number): number {
  return measure === 'fill' || measure === 'quality' ? value * 100 : value;
}

/** The streams and devices that an answer speaks of, in the field's order. */
export function streamsIn(answers: readonly SeriesAnswer[]): Stream[] {
  return STREAMS.filter((s) => answers.some((a) => a.series.some((x) => x.stream === s)));
}

/** What the toggles leave over. */
export function keepStreams(answer: SeriesAnswer, hidden: ReadonlySet<Stream>): SeriesAnswer {
  return { ...answer, series: answer.series.filter((s) => s.stream === null || !hidden.has(s.stream)) };
}

export const CSV_HEADER = [
  'time_local',
  'time_utc',
  'measure',
  'unit',
  'aggregate',
  'step',
  'device',
  'stream',
  'value',
];

/** The chart's own numbers, one row a point, oldest first, in the API's units. */
export function csvRows(answers: readonly SeriesAnswer[], zone: string): Cell[][] {
  const rows = answers.flatMap((a) =>
    a.series.flatMap((s) =>
      s.points.map(([at, value]) => ({
        at,
        row: [
          rfc3339(at, zone),
          new Date(at).toISOString(),
          a.measure,
          a.unit,
          a.agg,
          a.step,
          s.device,
          s.stream ?? '',
          value,
        ] as Cell[],
      })),
    ),
  );
  return rows.sort((a, b) => a.at - b.at).map(({ row }) => row);
}
