/** The chart with everything that the page says of it, as a picture. */
import type { Chart } from '../../lib/chart';
import type { Mark } from '../../lib/events';
import { picture } from '../../lib/picture';
import { prefs, t } from '../../lib/prefs.svelte';
import { streamsIn, wallClock, type Counted, type Window } from '../../lib/series';
import type { Dashboard } from '../dashboard.svelte';
import type { Drawn } from './load';
import { STROKES, titled } from './looks';
import { markText, markTime } from './marks';
import { attributed, thinning } from './words';

interface Scene {
  chart: Chart;
  drawn: Drawn;
  /** What lies in the time that is shown. */
  panels: readonly Counted[];
  title: string;
  marks: readonly Mark[];
  shown: Window;
  dash: Dashboard;
}

/** Events that are written out below; the picture's numbers go on beyond. */
const EVENTS_MOST = 24;

export function takePicture({ chart, drawn, panels, title, marks, shown, dash }: Scene): Promise<Blob> {
  void prefs.dark;
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const time = (wall: number) => new Date(wall).toISOString().slice(0, 16).replace('T', ' ');
  const name = (id: string) => drawn.stations.find((s) => s.id === id)?.name ?? id;
  const units = drawn.measures.map(titled).join(t('chart.list'));
  const wall = wallClock(drawn.zone);
  const end = (mark: Mark) => (mark.kind === 'incident' ? mark.at : (mark.to ?? drawn.at));
  const inside = marks.filter((mark) => wall(mark.at) <= shown.to && wall(end(mark)) >= shown.from);
  return picture(chart.canvas(2), {
    title,
    lines: [
      `${time(shown.from)} – ${time(shown.to)} (${drawn.zone}) · ${t(`chart.step.${drawn.step}`)} · ${units}`,
      ...attributed(panels, name),
      ...thinning(panels),
    ],
    legend: streamsIn(panels).map((s) => ({ name: t(`stream.${s}`), colour: colour(s), dash: STROKES[s] })),
    events: inside
      .slice(0, EVENTS_MOST)
      .map((mark) => `[${mark.nth}] ${markTime(mark, drawn)} ${markText(mark, drawn)}`),
    foot: [
      t('chart.source', {
        site: dash.site.data?.name ?? '',
        version: dash.site.data?.version ?? '',
        at: dash.dateTime(dash.now ?? drawn.at),
      }),
    ],
    text: colour('text'),
    muted: colour('muted'),
    surface: colour('panel'),
    font: getComputedStyle(document.body).fontFamily,
  });
}
