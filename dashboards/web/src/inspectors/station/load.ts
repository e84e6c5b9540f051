/** What the station page asks the server for: the lines of every station that is looked at, and what happened there. */
import { ApiError, get, pages, type Incident, type SeriesAnswer, type Station } from '../../lib/api';
import { LOOK_BACK, incidentsAt, numbered, silences, type Mark } from '../../lib/events';
import { KINDS, VIEWS, counted, type Counted, type Measure, type Step, type View } from '../../lib/series';
import type { Range, Span } from '../../lib/span';

export interface Asked {
  stations: readonly Station[];
  view: View;
  range: Range;
  step: Step;
  span: Span;
  zone: string;
}

export interface Drawn extends Asked {
  measures: readonly Measure[];
  all: Counted[];
  /** The site's clock when it was asked. */
  at: number;
}

/** Stations are compared by one measure. */
export function measuresOf(view: View, stations: number): readonly Measure[] {
  return stations > 1 ? VIEWS[view].slice(0, 1) : VIEWS[view];
}

export async function loadChart(asked: Asked, at: number, signal: AbortSignal): Promise<Drawn> {
  const { step, span } = asked;
  const measures = measuresOf(asked.view, asked.stations.length);
  const one = async (station: string, measure: Measure): Promise<Counted> => {
    const { agg, count } = KINDS[measure];
    const ask = (agg: string) =>
      get<SeriesAnswer>(['series'], { station, measure, from: span.from, to: span.to, step, agg }, signal);
    const [values, counts] = await Promise.all([ask(agg), count ? null : ask('count')]);
    return counted(station, measure, step, values, counts);
  };
  const all = asked.stations.flatMap(({ id }) => measures.map((measure) => one(id, measure)));
  return { ...asked, measures, at, all: await Promise.all(all) };
}

export interface Events {
  key: string;
  marks: Mark[];
  /** There are older incidents that were not looked at. */
  cut: boolean;
  step: Step;
}

const INCIDENTS_AT_ONCE = 1000;
const INCIDENTS_MOST = 5 * INCIDENTS_AT_ONCE;

async function incidents(signal: AbortSignal): Promise<{ items: Incident[]; cut: boolean }> {
  const items: Incident[] = [];
  for await (const page of pages<Incident>(['incidents'], { limit: INCIDENTS_AT_ONCE }, signal)) {
    items.push(...page.items);
    if (items.length >= INCIDENTS_MOST) return { items, cut: page.next !== null };
  }
  return { items, cut: false };
}

/** When each device of a station was heard of: its fill levels, which come whether or not anybody brings something. */
async function heard(station: string, span: Span, step: Step, signal: AbortSignal): Promise<SeriesAnswer> {
  const ask = {
    station,
    measure: 'fill',
    from: Math.max(0, span.from - LOOK_BACK),
    to: span.to,
    step,
    agg: 'count',
  };
  return get<SeriesAnswer>(['series'], ask, signal);
}

export async function loadEvents(
  asked: Asked,
  key: string,
  now: number,
  signal: AbortSignal,
): Promise<Events> {
  const { stations, span } = asked;
  const until = Math.min(now, span.to);
  const quiet = async (step: Step): Promise<[Step, SeriesAnswer[]]> => [
    step,
    await Promise.all(stations.map(({ id }) => heard(id, span, step, signal))),
  ];
  const finest = quiet('hour').catch((error: unknown) => {
    // More hours than one answer holds: then by the day.
    if (error instanceof ApiError && error.status === 400) return quiet('day');
    throw error;
  });
  const [{ items, cut }, [step, answers]] = await Promise.all([incidents(signal), finest]);
  const marks = stations.flatMap(({ id, devices }, i) => {
    const answer = answers[i];
    return [
      ...incidentsAt(id, devices, items, span.from, until),
      ...(answer ? silences(id, answer, step, span.from, until) : []),
    ];
  });
  return { key, marks: numbered(marks), cut, step };
}
