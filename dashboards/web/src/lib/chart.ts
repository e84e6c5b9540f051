/**
 * The one file that knows ECharts. It is imported lazily and takes only the parts it draws with, so that the
 * first view does not wait for it. Tooltips are drawn on the canvas: no HTML from data, no inline styles.
 */
import { BarChart, LineChart } from 'echarts/charts';
import {
  AxisPointerComponent,
  DataZoomComponent,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
} from 'echarts/components';
import { init, use, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import { NARROW, type DrawPoint, type Window } from './series';

use([
  BarChart,
  LineChart,
  AxisPointerComponent,
  DataZoomComponent,
  GridComponent,
  MarkAreaComponent,
  MarkLineComponent,
  TooltipComponent,
  CanvasRenderer,
]);

export interface ChartSeries {
  name: string;
  colour: string;
  /** Lines are told apart without colour by dashes, bars by a pattern, a second device by its symbols. */
  dash: 'solid' | 'dashed' | 'dotted' | number[];
  decal: object | null;
  symbols: boolean;
  draw: 'line' | 'bar';
  points: DrawPoint[];
}

/** Something that happened, at a time of the wall clock; a stretch where it has an end. */
export interface ChartMark {
  text: string;
  at: number;
  to: number | null;
}

export interface ChartPanel {
  title: string;
  /** Of a ratio, or of panels that are compared. */
  scale: { min: number; max: number } | null;
  format(value: number): string;
  /** The same with what it was made of. */
  says(point: DrawPoint): string;
  series: ChartSeries[];
  marks: ChartMark[];
}

export interface ChartModel {
  panels: ChartPanel[];
  /** Wall-clock bounds, so that the panels and an early silence share one axis. */
  from: number;
  to: number;
  text: string;
  muted: string;
  line: string;
  surface: string;
  /** A font list; a canvas knows no "inherit". */
  font: string;
  animate: boolean;
  /** The time of a point as the tooltip writes it. */
  when(at: number): string;
}

export interface Chart {
  draw(model: ChartModel): void;
  resize(): void;
  /** Shows a part of the time; all of it for null. */
  zoom(window: Window | null): void;
  /** What is drawn now, at a scale; nothing but the canvas's own pixels. */
  canvas(scale: number): HTMLCanvasElement;
  dispose(): void;
}

interface Hovered {
  seriesName?: string;
  seriesIndex?: number;
  value: unknown;
}

const FIRST_TOP = 40;
const BOTTOM = 74;
const BETWEEN = 62;
/** Beyond so many points a line is thinned to what the pixels can show, anew for every part that is zoomed into. */
const DENSE = 4000;
const isDense = (series: ChartSeries) => series.draw === 'line' && series.points.length > DENSE;
/** Beyond so many points in all, what lies outside the part that is zoomed into is left out, lest panning stutter. */
const MANY = 2000;

/** How high a chart of so many panels wants to be. */
export const heightFor = (panels: number) => FIRST_TOP + BOTTOM + 190 * panels + BETWEEN * (panels - 1);

/** Several devices make a list taller than the canvas: then two entries share a line. */
function columns(texts: string[]): string[] {
  if (texts.length <= 6) return texts;
  return texts.flatMap((text, i) => (i % 2 === 0 ? [[text, texts[i + 1]].filter(Boolean).join('    ')] : []));
}

type Placed = { panel: ChartPanel; series: ChartSeries; i: number };

function tooltip(model: ChartModel, all: Placed[]) {
  return (hovered: Hovered | Hovered[]) => {
    const rows = (Array.isArray(hovered) ? hovered : [hovered]).flatMap((h) => {
      const found = all[h.seriesIndex ?? -1];
      const point = found?.series.points[(h.value as [number, number, number])[2]];
      if (!found || !point || point.gap) return [];
      const text = `${h.seriesName ?? ''}  ${found.panel.says(point)}`;
      return [{ at: point.at, panel: found.panel, text }];
    });
    const first = rows[0];
    if (!first) return '';
    // Several panels share one tooltip: each part then says what it measures.
    const parts = model.panels.flatMap((panel) => {
      const texts = rows.filter((r) => r.panel === panel).map((r) => r.text);
      const title = model.panels.length > 1 ? [`— ${panel.title}`] : [];
      return texts.length === 0 ? [] : [...title, ...columns(texts)];
    });
    return [model.when(first.at), ...parts].join('\n');
  };
}

/** How high the names of marks stand: those that would touch stand above each other by turns. */
function levels(model: ChartModel, marks: readonly ChartMark[]): number[] {
  const near = (model.to - model.from) * 0.022;
  let [before, level] = [-Infinity, 0];
  return marks.map(({ at }) => {
    level = at - before < near ? (level + 1) % 2 : 0;
    before = at;
    return level;
  });
}

/** Marks stand on a line of their own without points, so that no toggle hides them. */
function markSeries(model: ChartModel, panel: ChartPanel, i: number) {
  const label = { color: model.text, fontSize: 11, fontWeight: 600, distance: 2 };
  const lines = panel.marks.filter((mark) => mark.to === null);
  const areas = panel.marks.filter((mark) => mark.to !== null);
  const high = levels(model, lines);
  return {
    type: 'line',
    xAxisIndex: i,
    yAxisIndex: i,
    data: [],
    silent: true,
    animation: false,
    markLine: {
      symbol: ['none', 'triangle'],
      symbolSize: 7,
      lineStyle: { color: model.text, type: [2, 3], width: 1 },
      label: { ...label, position: 'end', formatter: '{b}' },
      data: lines.map((mark, nth) => ({
        name: mark.text,
        xAxis: mark.at,
        label: { distance: 2 + 11 * (high[nth] ?? 0) },
      })),
    },
    markArea: {
      itemStyle: {
        color: model.muted,
        opacity: 0.22,
        borderColor: model.text,
        borderWidth: 1,
        borderType: 'dotted',
      },
      label: { ...label, position: 'insideTop', formatter: '{b}' },
      data: areas.map((mark) => [{ name: mark.text, xAxis: mark.at }, { xAxis: mark.to }]),
    },
  };
}

function dataSeries({ series, i }: Placed) {
  const line = {
    symbol: series.symbols ? 'emptyCircle' : 'none',
    symbolSize: 4,
    showSymbol: series.symbols,
    connectNulls: false,
    lineStyle: { type: series.dash, width: series.symbols ? 1.1 : 1.8 },
    ...(isDense(series) ? { sampling: 'lttb' } : {}),
  };
  const narrow = series.points.length > NARROW;
  const bar = { stack: `all${i}`, barMaxWidth: 18, large: narrow, largeThreshold: NARROW };
  return {
    type: series.draw,
    name: series.name,
    xAxisIndex: i,
    yAxisIndex: i,
    ...(series.draw === 'bar' ? bar : line),
    itemStyle: { color: series.colour, ...(series.draw === 'bar' ? { decal: series.decal } : {}) },
    emphasis: { disabled: true },
    data: series.points.map((p, nth) => ({
      value: [p.wall, p.gap ? null : p.value, nth],
      ...(p.alone && series.draw === 'line' ? { symbol: 'circle', symbolSize: 5 } : {}),
    })),
  };
}

function axes(model: ChartModel) {
  const label = { color: model.muted, fontSize: 11 };
  const times = { month: '{MM}-{dd}', day: '{MM}-{dd}', hour: '{HH}:{mm}', minute: '{HH}:{mm}' };
  const xAxis = model.panels.map((_, i) => ({
    type: 'time',
    gridIndex: i,
    min: model.from,
    max: model.to,
    axisLine: { lineStyle: { color: model.line } },
    axisLabel: { ...label, hideOverlap: true, formatter: { year: '{yyyy}', ...times } },
    splitLine: { show: true, lineStyle: { color: model.line, opacity: 0.5 } },
  }));
  const yAxis = model.panels.map((panel, i) => ({
    type: 'value',
    gridIndex: i,
    name: panel.title,
    nameGap: 20,
    nameTextStyle: { color: model.text, fontSize: 12, align: 'left', padding: [0, 0, 0, -54] },
    min: panel.scale?.min,
    max: panel.scale?.max,
    scale: panel.scale === null && !panel.series.some((s) => s.draw === 'bar'),
    axisLabel: { ...label, formatter: (v: number) => panel.format(v) },
    splitLine: { lineStyle: { color: model.line } },
    splitNumber: 4,
    interval: panel.scale ? (panel.scale.max - panel.scale.min) / 4 : undefined,
  }));
  return { xAxis, yAxis };
}

function option(model: ChartModel, height: number, shown: Window | null) {
  const count = model.panels.length;
  const each = Math.max(60, (height - FIRST_TOP - BOTTOM - BETWEEN * (count - 1)) / count);
  const all = model.panels.flatMap((panel, i) => panel.series.map((series) => ({ panel, series, i })));
  const window = { startValue: shown?.from ?? model.from, endValue: shown?.to ?? model.to };
  // Every frame of a pan is drawn, and none is eased into: the hand decides where the time stands.
  const points = all.reduce((sum, { series }) => sum + series.points.length, 0);
  const filterMode = points > MANY ? 'filter' : 'none';
  const zoom = { xAxisIndex: model.panels.map((_, i) => i), filterMode, throttle: 0, ...window };
  return {
    useUTC: true,
    animation: model.animate,
    animationDuration: 250,
    animationDurationUpdate: 0,
    textStyle: { color: model.text, fontFamily: model.font },
    grid: model.panels.map((_, i) => ({
      left: 66,
      right: 18,
      top: FIRST_TOP + i * (each + BETWEEN),
      height: each,
    })),
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    ...axes(model),
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      backgroundColor: model.surface,
      borderColor: model.line,
      textStyle: { color: model.text, fontSize: 12 },
      formatter: tooltip(model, all),
    },
    dataZoom: [
      { ...zoom, type: 'inside', zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false },
      { ...zoom, type: 'slider', height: 22, bottom: 12, showDetail: false, borderColor: model.line },
    ],
    series: [
      ...all.map(dataSeries),
      ...model.panels.flatMap((panel, i) => (panel.marks.length > 0 ? [markSeries(model, panel, i)] : [])),
    ],
  };
}

interface Zoomed {
  start?: number;
  end?: number;
  startValue?: number;
  endValue?: number;
}

/** `zoomed` is told which part of the time is shown; null: all of it. */
export function createChart(element: HTMLElement, zoomed: (shown: Window | null) => void): Chart {
  const chart: ECharts = init(element);
  let last: ChartModel | null = null;
  let shown: Window | null = null;
  const draw = (model: ChartModel) => {
    // Another stretch of time is looked at whole.
    if (last && (last.from !== model.from || last.to !== model.to)) tell(null);
    last = model;
    chart.setOption(option(model, element.clientHeight, shown) as Parameters<ECharts['setOption']>[0], {
      notMerge: true,
    });
  };
  const tell = (window: Window | null) => {
    shown = window;
    zoomed(window);
  };
  chart.on('datazoom', (event) => {
    if (!last) return;
    const { batch, ...alone } = event as Zoomed & { batch?: Zoomed[] };
    const { start = 0, end = 100, startValue, endValue } = batch?.[0] ?? alone;
    const at = (percent: number) => last!.from + ((last!.to - last!.from) * percent) / 100;
    const window = { from: startValue ?? at(start), to: endValue ?? at(end) };
    tell(window.from <= last.from && window.to >= last.to ? null : window);
  });
  return {
    draw,
    resize: () => {
      chart.resize();
      if (last) draw({ ...last, animate: false });
    },
    zoom: (window) => {
      if (!last) return;
      const { from, to } = window ?? last;
      chart.dispatchAction({ type: 'dataZoom', startValue: from, endValue: to });
    },
    canvas: (scale) => chart.renderToCanvas({ pixelRatio: scale, backgroundColor: last?.surface ?? '#fff' }),
    dispose: () => chart.dispose(),
  };
}
