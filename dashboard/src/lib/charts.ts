// The two plots of a workload, on one time axis: load with forecast and capacity above, pods below.

import uPlot from "uplot";
import type { DecisionRow, WorkloadSeries } from "./api";
import { number } from "./format";
import { paintFuture, paintMarks, paintPicked, paintUnserved } from "./marks";
import type { Edges } from "./span";

export const LEVELS = ["0.5", "0.9", "0.95", "0.99"] as const;
const AXIS = 58;
const DAY = 86400;

export interface Frame {
  data: uPlot.AlignedData; // x, load, expected, capacity, then a column per level
  counts: uPlot.AlignedData; // x, wanted, replicas, ready, hpa
  now: number;
  reach: number; // the last moment that the forecast speaks of
}

export interface Look {
  ink: string;
  muted: string;
  line: string;
  card: string;
  load: string;
  over: string;
  capacity: string;
  decision: string;
  hpa: string;
  accent: string;
  future: string;
}

export interface Live {
  frame: () => Frame;
  edges: () => Edges;
  decisions: () => DecisionRow[];
  picked: () => number | null;
  moved: (index: number | null) => void;
  chosen: (from: number, to: number) => void;
}

export function lookOf(element: Element): Look {
  const style = getComputedStyle(element);
  const names = ["ink", "muted", "line", "card", "load", "over", "capacity", "decision", "hpa", "accent", "future"] as const;
  return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()])) as unknown as Look;
}

/** Past and future in one set of columns; the past ends and the future begins at `now`. */
export function frame(series: WorkloadSeries, now: number): Frame {
  const last = series.at.at(-1) ?? now;
  const band = series.band;
  const future = band ? band.at.map((at, index) => ({ at, index })).filter(({ at }) => at > last) : [];
  const none = future.map(() => null);
  // What is measured has no spread: the band opens from the last load.
  const opening = future.length > 0 && band && last - band.made_at < 300 ? (series.load.at(-1) ?? null) : null;
  const before = [...series.at.slice(1).map(() => null), ...(series.at.length > 0 ? [opening] : [])];
  const quantiles = LEVELS.map((level) => [
    ...before,
    ...future.map(({ index }) => band?.quantiles[level]?.[index] ?? null),
  ]);
  const filled = (column: (number | null)[]): (number | null)[] => [...column, ...none];
  const x = [...series.at, ...future.map(({ at }) => at)];
  const hpa = series.hpa.length === series.at.length ? series.hpa : series.at.map(() => null);
  return {
    data: [x, filled(series.load), filled(series.expected), filled(series.capacity), ...quantiles],
    counts: [x, filled(series.wanted), filled(series.replicas), filled(series.ready), filled(hpa)],
    now: last,
    reach: future.at(-1)?.at ?? last,
  };
}

function shared(look: Look, live: Live, group: string): Partial<uPlot.Options> {
  return {
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: {
      sync: { key: group, setSeries: false },
      drag: { x: true, y: false, setScale: false },
      y: false,
      points: { size: 7, width: 1.5, fill: look.card },
    },
    hooks: {
      drawClear: [(plot) => paintFuture(plot, look, live)],
      setCursor: [(plot) => live.moved(plot.cursor.idx ?? null)],
      setSelect: [(plot) => select(plot, live)],
    },
  };
}

function select(plot: uPlot, live: Live): void {
  const { left, width } = plot.select;
  if (width < 6) return; // a click
  live.chosen(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}

const xScale = (live: Live): uPlot.Scale => ({ time: true, range: () => [live.edges().from, live.edges().to] });

const days = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short" });
const clockTicks: uPlot.Axis.Values = (_plot, ticks) =>
  ticks.map((tick) => (tick % DAY === 0 ? days.format(tick * 1000) : new Date(tick * 1000).toISOString().slice(11, 16)));

function xAxis(look: Look, labels: boolean): uPlot.Axis {
  return {
    stroke: look.muted,
    font: "12px system-ui, sans-serif",
    size: labels ? 30 : 8,
    space: 70,
    incrs: [10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, DAY, 2 * DAY],
    values: labels ? clockTicks : () => [],
    grid: { stroke: look.line, width: 1 },
    ticks: { show: false },
  };
}

const yAxis = (look: Look): uPlot.Axis => ({
  stroke: look.muted,
  font: "12px system-ui, sans-serif",
  size: AXIS,
  space: 34,
  values: (_plot, ticks) => ticks.map((tick) => number(tick)),
  grid: { stroke: look.line, width: 1 },
  ticks: { show: false },
});

const fromZero: uPlot.Range.Function = (_plot, _low, high) => [0, Math.max(1, (high ?? 1) * 1.12)];
const steps = (): Partial<uPlot.Series> => {
  const paths = uPlot.paths.stepped?.({ align: 1 });
  return paths ? { paths } : {};
};

export function loadPlot(target: HTMLElement, width: number, height: number, look: Look, live: Live, group: string): uPlot {
  const tint = (alpha: number): string => mixed(look.load, alpha);
  const common = shared(look, live, group);
  const options: uPlot.Options = {
    ...common,
    width,
    height,
    padding: [10, 24, 0, 0],
    scales: { x: xScale(live), y: { range: fromZero } },
    axes: [xAxis(look, false), yAxis(look)],
    series: [
      {},
      { label: "load", stroke: look.load, width: 1.75, points: { show: false } },
      { label: "expected", stroke: tint(0.55), width: 1.25, dash: [3, 4], points: { show: false } },
      { label: "capacity", stroke: look.capacity, width: 2, points: { show: false }, ...steps() },
      ...LEVELS.map((level, index) => ({
        label: level,
        stroke: tint(index === 0 ? 0.9 : 0.3),
        width: index === 0 ? 1.5 : 0.75,
        points: { show: false },
      })),
    ],
    bands: [
      { series: [5, 4], fill: tint(0.3) },
      { series: [6, 5], fill: tint(0.2) },
      { series: [7, 6], fill: tint(0.12) },
    ],
    hooks: {
      ...common.hooks,
      draw: [
        (plot) => {
          paintUnserved(plot, look);
          paintMarks(plot, look, live);
          paintPicked(plot, look, live);
        },
      ],
    },
  };
  return new uPlot(options, live.frame().data, target);
}

export function countPlot(target: HTMLElement, width: number, height: number, look: Look, live: Live, group: string): uPlot {
  const common = shared(look, live, group);
  const options: uPlot.Options = {
    ...common,
    width,
    height,
    padding: [6, 24, 0, 0],
    scales: { x: xScale(live), y: { range: fromZero } },
    axes: [xAxis(look, true), { ...yAxis(look), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }],
    series: [
      {},
      { label: "wanted", stroke: look.decision, width: 2, points: { show: false }, ...steps() },
      { label: "replicas", stroke: mixed(look.decision, 0.35), width: 1, points: { show: false }, ...steps() },
      { label: "ready", stroke: look.capacity, width: 1.5, fill: mixed(look.capacity, 0.14), points: { show: false }, ...steps() },
      { label: "hpa", stroke: look.hpa, width: 1.5, dash: [5, 4], points: { show: false }, ...steps() },
    ],
    bands: [{ series: [2, 3], fill: mixed(look.decision, 0.25) }],
    hooks: { ...common.hooks, draw: [(plot) => paintPicked(plot, look, live)] },
  };
  return new uPlot(options, live.frame().counts, target);
}

/** A colour of the style sheet (#rrggbb) with an alpha. */
export function mixed(colour: string, alpha: number): string {
  const hex = colour.replace("#", "");
  const part = (start: number): number => Number.parseInt(hex.slice(start, start + 2), 16);
  return `rgba(${part(0)}, ${part(2)}, ${part(4)}, ${alpha})`;
}
