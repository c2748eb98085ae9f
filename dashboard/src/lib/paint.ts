// Drawing the map: every cell a colour, the large ones a name. Colours can be told apart with any kind of colour vision:
// use runs from pale to dark in one hue and ends in vermilion; the states follow Okabe and Ito's palette.

import { corner, type Layout } from "./layout";
import type { State } from "./states";

export type Colouring = "use" | "state";

export interface Palette {
  use: string[]; // eight steps from idle to full
  over: string; // more load than capacity
  states: Record<State, string>;
  ink: string;
  muted: string;
  faint: string;
  card: string;
  tile: string;
  line: string;
}

export interface Cell {
  name: string;
  words: string;
  use: number; // NaN: unknown
  state: State;
  dim: boolean;
}

const LIGHT: Palette = {
  use: ["#eaf0f7", "#d9e5f2", "#c3d7ec", "#a8c6e4", "#8ab2da", "#6a9bcd", "#4a82bd", "#2a67a8"],
  over: "#d1490c",
  states: {
    short: "#d1490c",
    troubled: "#b3568f",
    unknown: "#ffffff",
    limited: "#e69f00",
    held: "#ecd14b",
    growing: "#2270b8",
    shrinking: "#79b6e4",
    off: "#6b7178",
    steady: "#d3dbe3",
  },
  ink: "#17191c",
  muted: "#63676b",
  faint: "#a9adb1",
  card: "#ffffff",
  tile: "#f4f5f3",
  line: "#e3e3de",
};
const DARK: Palette = {
  use: ["#1d2530", "#1f2f42", "#213b56", "#25496c", "#2b5a86", "#356fa4", "#4688c4", "#66a7e0"],
  over: "#ff7138",
  states: {
    short: "#ff7138",
    troubled: "#dd8fbd",
    unknown: "#171a1d",
    limited: "#f0a830",
    held: "#cdb845",
    growing: "#3f8fe0",
    shrinking: "#8cc4ee",
    off: "#7d858d",
    steady: "#323d48",
  },
  ink: "#eceef0",
  muted: "#9aa0a6",
  faint: "#6a7077",
  card: "#171a1d",
  tile: "#1f2327",
  line: "#2a2e33",
};
// Corners in eighths of a cell.
const SIGNS: Partial<Record<State, [number, number][]>> = {
  growing: [[4, 2], [6.2, 5.6], [1.8, 5.6]],
  shrinking: [[4, 6], [6.2, 2.4], [1.8, 2.4]],
  limited: [[1.8, 1.8], [6.2, 1.8], [6.2, 3.2], [1.8, 3.2]],
  held: [[1.8, 3.3], [6.2, 3.3], [6.2, 4.7], [1.8, 4.7]],
  short: [[3.3, 1.6], [4.7, 1.6], [4.7, 6.4], [3.3, 6.4]],
  troubled: [[4, 1.8], [6.2, 4], [4, 6.2], [1.8, 4]],
};
const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export const palette = (dark: boolean): Palette => (dark ? DARK : LIGHT);

export function colourOf(cell: Cell, by: Colouring, look: Palette): string {
  if (by === "state") return look.states[cell.state];
  if (Number.isNaN(cell.use)) return look.states.unknown;
  if (cell.use > 1) return look.over;
  return look.use[Math.min(7, Math.floor(cell.use * 8))]!;
}

export interface Picture {
  layout: Layout;
  by: Colouring;
  look: Palette;
  cell: (block: number, index: number) => Cell;
}

/** All cells. */
export function paintAll(ctx: CanvasRenderingContext2D, picture: Picture): void {
  ctx.clearRect(0, 0, picture.layout.width, picture.layout.height);
  picture.layout.blocks.forEach((block, number) => {
    for (let index = 0; index < block.count; index += 1) paintCell(ctx, picture, number, index);
  });
}

/** One cell, over what was there. */
export function paintCell(ctx: CanvasRenderingContext2D, picture: Picture, number: number, index: number): void {
  const { layout, look, by } = picture;
  const { scale } = layout;
  const [x, y] = corner(layout, layout.blocks[number]!, index);
  const cell = picture.cell(number, index);
  const width = scale.x - scale.gap;
  const height = scale.y - scale.gap;
  ctx.clearRect(x, y, width, height);
  ctx.globalAlpha = cell.dim ? 0.16 : 1;
  if (scale.named) paintTile(ctx, cell, x, y, width, height, by, look);
  else paintSquare(ctx, cell, x, y, width, by, look);
  ctx.globalAlpha = 1;
}

function paintSquare(
  ctx: CanvasRenderingContext2D, cell: Cell, x: number, y: number, side: number, by: Colouring, look: Palette,
): void {
  ctx.fillStyle = colourOf(cell, by, look);
  const unknown = by === "use" ? Number.isNaN(cell.use) : cell.state === "unknown";
  if (unknown) {
    ctx.strokeStyle = look.faint;
    ctx.lineWidth = 1;
    ctx.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    return;
  }
  if (side >= 14) {
    ctx.beginPath();
    ctx.roundRect(x, y, side, side, Math.min(4, side / 6));
    ctx.fill();
  } else ctx.fillRect(x, y, side, side);
  if (side >= 9 && by === "state") paintSign(ctx, cell.state, x, y, side, look);
}

/** The state once more as a shape, for eyes that do not tell colours apart. */
function paintSign(ctx: CanvasRenderingContext2D, state: State, x: number, y: number, side: number, look: Palette): void {
  const unit = side / 8;
  const points = SIGNS[state];
  if (!points) return;
  ctx.fillStyle = look.card;
  ctx.beginPath();
  points.forEach(([across, down], index) => {
    if (index === 0) ctx.moveTo(x + across * unit, y + down * unit);
    else ctx.lineTo(x + across * unit, y + down * unit);
  });
  ctx.fill();
}

function paintTile(
  ctx: CanvasRenderingContext2D, cell: Cell, x: number, y: number, width: number, height: number, by: Colouring, look: Palette,
): void {
  const colour = colourOf(cell, by, look);
  const unknown = by === "use" ? Number.isNaN(cell.use) : cell.state === "unknown";
  ctx.save();
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, 6);
  ctx.fillStyle = look.tile;
  ctx.fill();
  ctx.clip();
  const full = by === "use" && !unknown ? Math.min(1, cell.use) : 1;
  if (unknown) {
    ctx.strokeStyle = look.faint;
    ctx.setLineDash([3, 3]);
    ctx.strokeRect(x + 0.5, y + height - 3.5, width - 1, 0.01);
  } else {
    ctx.fillStyle = look.line;
    ctx.fillRect(x, y + height - 4, width, 4);
    ctx.fillStyle = colour;
    ctx.fillRect(x, y + height - 4, width * full, 4);
  }
  ctx.textBaseline = "middle";
  ctx.fillStyle = look.ink;
  ctx.font = `550 ${height > 40 ? 13 : 12}px ${FONT}`;
  const middle = y + (height - 4) / 2;
  if (height > 40) {
    ctx.fillText(cut(ctx, cell.name, width - 20), x + 10, middle - 8);
    ctx.font = `12px ${FONT}`;
    ctx.fillStyle = look.muted;
    ctx.fillText(cut(ctx, cell.words, width - 20), x + 10, middle + 10);
  } else ctx.fillText(cut(ctx, cell.name, width - 16), x + 8, middle);
  ctx.restore();
}

function cut(ctx: CanvasRenderingContext2D, text: string, width: number): string {
  if (ctx.measureText(text).width <= width) return text;
  let length = text.length;
  while (length > 1 && ctx.measureText(`${text.slice(0, length)}…`).width > width) length -= 1;
  return `${text.slice(0, length)}…`;
}

/** A state's sign as SVG writes corners; "" for those without one. */
export const signOf = (state: State): string => SIGNS[state]?.map((corner) => corner.join(",")).join(" ") ?? "";
