// What the plots show beside lines: the future, load that found no capacity, decisions, and the moment that is explained.

import type uPlot from "uplot";
import { mixed, type Live, type Look } from "./charts";

export function paintFuture(plot: uPlot, look: Look, live: Live): void {
  const { ctx, bbox } = plot;
  const now = live.frame().now;
  if (now >= live.edges().to) return;
  const x = Math.max(bbox.left, plot.valToPos(now, "x", true));
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

/** The ground between load and capacity, wherever the load is the larger one. */
export function paintUnserved(plot: uPlot, look: Look): void {
  const { ctx, bbox } = plot;
  const [xs, load, , capacity] = plot.data as [number[], (number | null)[], unknown, (number | null)[]];
  const { min, max } = plot.scales["x"]!;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  ctx.fillStyle = mixed(look.over, 0.4);
  for (let at = 0; at + 1 < xs.length; at += 1) {
    const [a, b, room] = [load[at], load[at + 1], capacity[at]];
    if (a == null || b == null || room == null || (a <= room && b <= room)) continue;
    const [from, to] = [xs[at]!, xs[at + 1]!];
    if (to < (min ?? from) || from > (max ?? to)) continue;
    const cross = from + ((room - a) / (b - a || 1)) * (to - from);
    const begin = a > room ? from : cross;
    const end = b > room ? to : cross;
    const floor = plot.valToPos(room, "y", true);
    ctx.beginPath();
    ctx.moveTo(plot.valToPos(begin, "x", true), floor);
    ctx.lineTo(plot.valToPos(begin, "x", true), plot.valToPos(Math.max(a, room), "y", true));
    ctx.lineTo(plot.valToPos(end, "x", true), plot.valToPos(Math.max(b, room), "y", true));
    ctx.lineTo(plot.valToPos(end, "x", true), floor);
    ctx.fill();
  }
  ctx.restore();
}

/** A triangle where replicas changed: filled and pointing up for more, hollow and down for fewer. */
export function paintMarks(plot: uPlot, look: Look, live: Live): void {
  const { ctx, bbox } = plot;
  const scale = devicePixelRatio;
  const { from, to } = live.edges();
  const now = live.frame().now;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = look.decision;
  ctx.lineWidth = 1.25 * scale;
  for (const row of live.decisions()) {
    if (!row.changed || row.at < from || row.at > Math.min(now, to)) continue;
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
  if (now < to) {
    ctx.fillStyle = look.muted;
    ctx.font = `${11 * scale}px system-ui, sans-serif`;
    ctx.textAlign = "left";
    ctx.fillText("now", plot.valToPos(now, "x", true) + 5 * scale, bbox.top + 11 * scale);
  }
  ctx.restore();
}

/** The moment whose decision is explained below. */
export function paintPicked(plot: uPlot, look: Look, live: Live): void {
  const at = live.picked();
  const { from, to } = live.edges();
  if (at === null || at < from || at > to) return;
  const { ctx, bbox } = plot;
  const x = plot.valToPos(at, "x", true);
  ctx.save();
  ctx.strokeStyle = look.accent;
  ctx.lineWidth = 1.5 * devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.restore();
}
