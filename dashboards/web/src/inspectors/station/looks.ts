/** How measures and streams look in a chart: their dashes, patterns, units and words. */
import type { ChartSeries } from '../../lib/chart';
import { number, percent, t, weight } from '../../lib/prefs.svelte';
import { KINDS, numerator, type Measure, type Reading } from '../../lib/series';
import type { Stream } from '../../lib/streams';

export const DASHES: Record<Stream, ChartSeries['dash']> = {
  food: 'solid',
  recyclable: 'dashed',
  hazardous: 'dotted',
  residual: [8, 3, 2, 3],
};

/** The same as lengths, for whoever draws them elsewhere. */
export const STROKES: Record<Stream, number[]> = {
  food: [],
  recyclable: [6, 4],
  hazardous: [2, 3],
  residual: [8, 2, 2, 2],
};

const pattern = { color: 'rgba(255, 255, 255, 0.6)', symbolSize: 1 };
/** Bars are full, striped either way, or dotted. */
export const DECALS: Record<Stream, object | null> = {
  food: null,
  recyclable: { ...pattern, symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: Math.PI / 4 },
  hazardous: { ...pattern, symbol: 'circle', dashArrayX: [[4, 4]], dashArrayY: [4, 4] },
  residual: { ...pattern, symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 4], rotation: -Math.PI / 4 },
};

const UNITS: Record<Measure, string> = {
  fill: '%',
  bin_weight: 'kg',
  deposits: '',
  deposit_weight: 'kg',
  quality: '%',
  attributed: '%',
  camera_apart: '%',
  battery: 'V',
  rssi: 'dBm',
  temperature: '°C',
};

/** The measure with its unit. */
export function titled(measure: Measure): string {
  const unit = UNITS[measure] || t('chart.unit.count');
  return t('mark.aside', { what: t(`measure.${measure}`), aside: unit });
}

const FORMATS: Record<Measure, (value: number) => string> = {
  fill: (v) => percent(v),
  bin_weight: weight,
  deposits: (v) => number(v),
  deposit_weight: weight,
  quality: (v) => percent(v),
  attributed: (v) => percent(v),
  camera_apart: (v) => `${v > 0 ? '+' : ''}${percent(v / 10_000, 1)}`,
  battery: (v) => `${number(v / 1000, 2)} V`,
  rssi: (v) => `${number(v)} dBm`,
  temperature: (v) => `${number(v, 1)} °C`,
};

export function formatted(measure: Measure): (value: number) => string {
  return FORMATS[measure];
}

/** A value with what it was made of. */
export function said(measure: Measure): (reading: Reading) => string {
  return (reading) => {
    const text = FORMATS[measure](reading.value);
    if (reading.n === null || KINDS[measure].count) return text;
    if (measure === 'attributed')
      return t('mark.share', { share: text, n: number(numerator(reading)), of: number(reading.n) });
    return t('mark.aside', { what: text, aside: t('chart.of', { n: number(reading.n) }) });
  };
}
