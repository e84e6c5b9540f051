/**
 * The one file that knows ECharts. It is imported lazily and takes only the parts it draws with, so that the
 * first view does not wait for it. Tooltips are drawn on the canvas: no HTML from data, no inline styles.
 */
import { BarChart, LineChart } from 'echarts/charts';
import { AxisPointerComponent, DataZoomComponent, GridComponent, TooltipComponent } from 'echarts/components';
import { init, use, type ECharts } from 'echarts/core';
import { CanvasRenderer } from 'echarts/renderers';
import type { DrawPoint } from './series';

use([
  BarChart,
  LineChart,
  AxisPointerComponent,
  DataZoomComponent,
  GridComponent,
  TooltipComponent,
  CanvasRenderer,
]);

export interface ChartSeries {
  name: string;
  colour: string;
  /** Told apart without colour too. */
  dash: 'solid' | 'dashed' | 'dotted' | number[];
  draw: 'line' | 'bar';
  points: DrawPoint[];
}

export interface ChartPanel {
  title: string;
  /** A ratio's axis ends at 100 %. */
  max: number | null;
  format(value: number): string;
  series: ChartSeries[];
}

export interface ChartModel {
  panels: ChartPanel[];
  /** Wall-clock bounds, so that two panels and an early silence share one axis. */
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
  dispose(): void;
}

interface Hovered {
  axisValue: number | string;
  seriesName?: string;
  seriesIndex?: number;
  marker?: unknown;
  value: unknown;
}

const FIRST_TOP = 30;
const BOTTOM = 74;
const BETWEEN = 58;

/** Several devices make a list taller than the canvas: then two entries share a line. */
function columns(texts: string[]): string[] {
  if (texts.length <= 6) return texts;
  return texts.flatMap((text, i) => (i % 2 === 0 ? [[text, texts[i + 1]].filter(Boolean).join('    ')] : []));
}

function option(model: ChartModel, height: number) {
  const count = model.panels.length;
  const each = Math.max(60, (height - FIRST_TOP - BOTTOM - BETWEEN * (count - 1)) / count);
  const top = (i: number) => FIRST_TOP + i * (each + BETWEEN);
  const all = model.panels.flatMap((panel, i) => panel.series.map((series) => ({ panel, series, i })));
  const label = { color: model.muted, fontSize: 11 };
  const xAxisIndex = model.panels.map((_, i) => i);
  return {
    useUTC: true,
    animation: model.animate,
    animationDuration: 250,
    textStyle: { color: model.text, fontFamily: model.font },
    grid: model.panels.map((_, i) => ({ left: 62, right: 18, top: top(i), height: each })),
    axisPointer: { link: [{ xAxisIndex: 'all' }] },
    xAxis: model.panels.map((_, i) => ({
      type: 'time',
      gridIndex: i,
      min: model.from,
      max: model.to,
      axisLine: { lineStyle: { color: model.line } },
      axisLabel: {
        ...label,
        hideOverlap: true,
        formatter: {
          year: '{yyyy}',
          month: '{MM}-{dd}',
          day: '{MM}-{dd}',
          hour: '{HH}:{mm}',
          minute: '{HH}:{mm}',
        },
      },
      splitLine: { show: true, lineStyle: { color: model.line, opacity: 0.5 } },
    })),
    yAxis: model.panels.map((panel, i) => ({
      type: 'value',
      gridIndex: i,
      name: panel.title,
      nameTextStyle: { color: model.text, fontSize: 12, align: 'left', padding: [0, 0, 0, -50] },
      min: panel.max === null ? undefined : 0,
      max: panel.max ?? undefined,
      scale: panel.max === null && !panel.series.some((s) => s.draw === 'bar'),
      axisLabel: { ...label, formatter: (v: number) => panel.format(v) },
      splitLine: { lineStyle: { color: model.line } },
      splitNumber: 4,
      interval: panel.max === null ? undefined : panel.max / 4,
    })),
    tooltip: {
      trigger: 'axis',
      renderMode: 'richText',
      confine: true,
      backgroundColor: model.surface,
      borderColor: model.line,
      textStyle: { color: model.text, fontSize: 12 },
      formatter: (hovered: Hovered | Hovered[]) => {
        const rows = (Array.isArray(hovered) ? hovered : [hovered]).flatMap((h) => {
          const [, value, at] = h.value as [number, number | null, number];
          const panel = all[h.seriesIndex ?? -1]?.panel;
          if (value === null || !panel) return [];
          return [{ at, title: panel.title, text: `${h.seriesName ?? ''}  ${panel.format(value)}` }];
        });
        const first = rows[0];
        if (!first) return '';
        // Two panels share one tooltip: each part then says what it measures.
        const parts = model.panels.flatMap(({ title }) => {
          const texts = rows.filter((r) => r.title === title).map((r) => r.text);
          return texts.length === 0 ? [] : [...(count > 1 ? [`— ${title}`] : []), ...columns(texts)];
        });
        return [model.when(first.at), ...parts].join('\n');
      },
    },
    dataZoom: [
      { type: 'inside', xAxisIndex, filterMode: 'none', zoomOnMouseWheel: 'ctrl', moveOnMouseWheel: false },
      {
        type: 'slider',
        xAxisIndex,
        filterMode: 'none',
        height: 22,
        bottom: 12,
        showDetail: false,
        borderColor: model.line,
        textStyle: label,
      },
    ],
    series: all.map(({ series, i }) => ({
      type: series.draw,
      name: series.name,
      xAxisIndex: i,
      yAxisIndex: i,
      ...(series.draw === 'bar'
        ? { stack: 'all', barMaxWidth: 18 }
        : { symbol: 'none', connectNulls: false, lineStyle: { type: series.dash, width: 1.8 } }),
      itemStyle: { color: series.colour },
      emphasis: { disabled: true },
      data: series.points.map((p) => ({
        value: [p.wall, p.value, p.at],
        ...(p.alone && series.draw === 'line' ? { symbol: 'circle', symbolSize: 5 } : {}),
      })),
    })),
  };
}

export function createChart(element: HTMLElement): Chart {
  const chart: ECharts = init(element);
  let last: ChartModel | null = null;
  const draw = (model: ChartModel) => {
    last = model;
    chart.setOption(option(model, element.clientHeight) as Parameters<ECharts['setOption']>[0], {
      notMerge: true,
    });
  };
  return {
    draw,
    resize: () => {
      chart.resize();
      if (last) draw({ ...last, animate: false });
    },
    dispose: () => chart.dispose(),
  };
}
