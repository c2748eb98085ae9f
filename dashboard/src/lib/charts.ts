// The two plots of a workload, on one time axis: load with forecast and capacity above, replicas below.

import uPlot from "uplot";
import type { DecisionRow, WorkloadSeries } from "./api";
import { number } from "./format";

export const LEVELS = ["0.5", "0.9", "0.95", "0.99"] as const;
const AXIS = 58;

export interface Frame {
  data: uPlot.AlignedData; // x, load, expected, capacity, then a column per level
  counts: uPlot.AlignedData; // x, wanted, replicas, ready
  from: number;
  to: number;
  now: number;
}

export interface Look {
  ink: string;
  muted: string;
  line: string;
  card: string;
  load: string;
  capacity: string;
  decision: string;
  future: string;
}

export function lookOf(element: Element): Look {
  const style = getComputedStyle(element);
  const read = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: read("ink"),
    muted: read("muted"),
    line: read("line"),
    card: read("card"),
    load: read("load"),
    capacity: read("capacity"),
    decision: read("decision"),
    future: read("future"),
  };
}

/** Past and future in one set of columns; the past ends and the future begins at `now`. */
export function frame(series: WorkloadSeries, seconds: number): Frame {
  const now = series.at.at(-1) ?? 0;
  const band = series.band;
  const ahead = band ? band.at.map((at, index) => ({ at, index })).filter(({ at }) => at > now) : [];
  const reach = Math.min((ahead.at(-1)?.at ?? now) - now, seconds * 0.45);
  const future = ahead.filter(({ at }) => at <= now + reach + 1);
  const first = series.at.findIndex((at) => at >= now - seconds);
  const past = <T>(column: T[]): T[] => column.slice(Math.max(0, first));
  const none = future.map(() => null);
  const x = [...past(series.at), ...future.map(({ at }) => at)];
  // What is measured has no spread: the band opens from the last load.
  const opening = future.length > 0 && band && now - band.made_at < 300 ? (series.load.at(-1) ?? null) : null;
  const before = [...past(series.at).slice(1).map(() => null), opening];
  const quantiles = LEVELS.map((level) => [
    ...before,
    ...future.map(({ index }) => band?.quantiles[level]?.[index] ?? null),
  ]);
  const filled = (column: (number | null)[]): (number | null)[] => [...past(column), ...none];
  return {
    data: [x, filled(series.load), filled(series.expected), filled(series.capacity), ...quantiles],
    counts: [x, filled(series.wanted), filled(series.replicas), filled(series.ready)],
    from: now - seconds,
    to: now + Math.max(reach, seconds * 0.02),
    now,
  };
}

interface Live {
  frame: () => Frame;
  decisions: () => DecisionRow[];
  moved: (index: number | null) => void;
}

function shared(look: Look, live: Live, group: string): Partial<uPlot.Options> {
  return {
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    legend: { show: false },
    cursor: {
      sync: { key: group, setSeries: false },
      drag: { x: false, y: false },
      y: false,
      points: { size: 7, width: 1.5, fill: look.card },
    },
    hooks: {
      drawClear: [(plot) => paintFuture(plot, look, live.frame())],
      setCursor: [(plot) => live.moved(plot.cursor.idx ?? null)],
    },
  };
}

const xScale = (live: Live): uPlot.Scale => ({ time: true, range: () => [live.frame().from, live.frame().to] });

const clockTicks: uPlot.Axis.Values = (_plot, ticks) =>
  ticks.map((tick) => new Date(tick * 1000).toISOString().slice(11, 16));

function xAxis(look: Look, labels: boolean): uPlot.Axis {
  return {
    stroke: look.muted,
    font: "12px system-ui, sans-serif",
    size: labels ? 30 : 8,
    space: 70,
    incrs: [60, 300, 600, 900, 1800, 3600, 7200],
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

export function loadPlot(target: HTMLElement, width: number, height: number, look: Look, live: Live, group: string): uPlot {
  const tint = (alpha: number): string => mixed(look.load, alpha);
  const common = shared(look, live, group);
  const steps = uPlot.paths.stepped?.({ align: 1 });
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
      { label: "capacity", stroke: look.capacity, width: 2, points: { show: false }, ...(steps ? { paths: steps } : {}) },
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
    hooks: { ...common.hooks, draw: [(plot) => paintMarks(plot, look, live)] },
  };
  return new uPlot(options, live.frame().data, target);
}

export function countPlot(target: HTMLElement, width: number, height: number, look: Look, live: Live, group: string): uPlot {
  const common = shared(look, live, group);
  const steps = uPlot.paths.stepped?.({ align: 1 });
  const stepped = steps ? { paths: steps } : {};
  const options: uPlot.Options = {
    ...common,
    width,
    height,
    padding: [6, 24, 0, 0],
    scales: { x: xScale(live), y: { range: fromZero } },
    axes: [xAxis(look, true), { ...yAxis(look), incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] }],
    series: [
      {},
      { label: "wanted", stroke: look.decision, width: 2, points: { show: false }, ...stepped },
      { label: "replicas", stroke: look.muted, width: 1.25, dash: [4, 3], points: { show: false }, ...stepped },
      { label: "ready", stroke: look.capacity, width: 1.5, fill: mixed(look.capacity, 0.14), points: { show: false }, ...stepped },
    ],
  };
  return new uPlot(options, live.frame().counts, target);
}

function paintFuture(plot: uPlot, look: Look, frame: Frame): void {
  const { ctx, bbox } = plot;
  const x = plot.valToPos(frame.now, "x", true);
  ctx.save();
  ctx.fillStyle = look.future;
  ctx.fillRect(x, bbox.top, bbox.left + bbox.width - x, bbox.height);
  ctx.strokeStyle = look.muted;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}

/** A triangle where replicas changed: filled and pointing up for more, hollow and down for fewer. */
function paintMarks(plot: uPlot, look: Look, live: Live): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const { from, now } = live.frame();
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = look.decision;
  ctx.lineWidth = 1.25 * scale;
  for (const row of live.decisions()) {
    if (!row.changed || row.at < from || row.at > now) continue;
    const x = plot.valToPos(row.at, "x", true);
    const up = (row.wanted ?? 0) > (row.before ?? 0);
    const base = bbox.top + bbox.height - (up ? 3 : 10) * scale;
    const tip = base + (up ? -7 : 7) * scale;
    ctx.beginPath();
    ctx.moveTo(x - 4 * scale, base);
    ctx.lineTo(x + 4 * scale, base);
    ctx.lineTo(x, tip);
    ctx.closePath();
    if (up) ctx.fill();
    else ctx.stroke();
  }
  ctx.fillStyle = look.muted;
  ctx.font = `${11 * scale}px system-ui, sans-serif`;
  ctx.textAlign = "left";
  ctx.fillText("now", plot.valToPos(now, "x", true) + 5 * scale, bbox.top + 11 * scale);
  ctx.restore();
}

/** A colour of the style sheet (#rrggbb) with an alpha. */
function mixed(colour: string, alpha: number): string {
  const hex = colour.replace("#", "");
  const part = (start: number): number => Number.parseInt(hex.slice(start, start + 2), 16);
  return `rgba(${part(0)}, ${part(2)}, ${part(4)}, ${alpha})`;
}
