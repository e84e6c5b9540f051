/** What the station page says of its choices and of what it draws. */
import { number, t } from '../../lib/prefs.svelte';
import { KINDS, attribution, thinned, type Counted, type View } from '../../lib/series';
import type { Range, Span } from '../../lib/span';
import { percent } from '../../lib/prefs.svelte';

export function measureName(view: View): string {
  return view === 'level' || view === 'together' ? t(`chart.view.${view}`) : t(`measure.${view}`);
}

export function rangeText(range: Range, { first, last }: Span): string {
  if (range === 'day') return first;
  return range === 'month' ? first.slice(0, 7) : t('chart.between', { first, last });
}

/** How many readings each point stands for, for every measure that is drawn. */
export function thinning(panels: readonly Counted[]): string[] {
  const measures = [...new Set(panels.map((one) => one.measure))];
  return measures.flatMap((measure) => {
    const of = panels.filter((one) => one.measure === measure);
    const { points, readings } = thinned(of);
    const step = of[0]?.step ?? 'hour';
    if (points === 0) return [];
    const { agg, count } = KINDS[measure];
    const params = {
      measure: t(`measure.${measure}`),
      points: number(points),
      n: readings === null ? '?' : number(readings),
      step: t(`chart.per.${step}`),
    };
    return [t(count ? 'chart.thinned.count' : `chart.thinned.${agg}`, params)];
  });
}

/** Of all deposits shown, how many name a household, with what that is made of. */
export function attributed(panels: readonly Counted[], name: (station: string) => string): string[] {
  return panels.flatMap((one) => {
    const of = one.measure === 'attributed' ? attribution(one) : null;
    if (!of || of.all === 0) return [];
    const share = percent(of.named / of.all, 1);
    return [
      t('chart.attributed', {
        station: name(one.station),
        named: number(of.named),
        all: number(of.all),
        share,
      }),
    ];
  });
}
