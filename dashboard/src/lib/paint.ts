// Drawing the map: every cell a colour, the large ones a name. Colours can be told apart with any kind of colour vision:
// use runs from pale to dark in one hue and ends in vermilion; the states follow Okabe and Ito's palette.

import { corner, type Layout } from "./layout";
import { STATES, type State } from "./states";

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

/** What is drawn: numbers of workloads lead into the columns. */
export interface Picture {
  layout: Layout;
  by: Colouring;
  look: Palette;
  members: (block: number) => number[]; // the workloads of a block, in their places
  use: Float64Array; // NaN: unknown
  state: Uint8Array; // index into STATES
  mask: Uint8Array | null; // 0: not asked for, and pale; null: all are
  tile: (index: number) => { name: string; words: string };
}

interface Cell {
  index: number;
  x: number;
  y: number;
}

/** All cells. */
export function paintAll(ctx: CanvasRenderingContext2D, picture: Picture): void {
  ctx.clearRect(0, 0, picture.layout.width, picture.layout.height);
  const cells: Cell[] = [];
  picture.layout.blocks.forEach((block, number) => {
    picture.members(number).forEach((index, place) => {
      const [x, y] = corner(picture.layout, block, place);
      cells.push({ index, x, y });
    });
  });
  paint(ctx, picture, cells);
}

/** Some cells, over what was there: [block, place] of each. */
export function paintSome(ctx: CanvasRenderingContext2D, picture: Picture, places: [number, number][]): void {
  const { x: wide, y: tall, gap } = picture.layout.scale;
  const cells = places.map(([number, place]) => {
    const [x, y] = corner(picture.layout, picture.layout.blocks[number]!, place);
    ctx.clearRect(x, y, wide - gap, tall - gap);
    return { index: picture.members(number)[place]!, x, y };
  });
  paint(ctx, picture, cells);
}

function paint(ctx: CanvasRenderingContext2D, picture: Picture, cells: Cell[]): void {
  const { scale } = picture.layout;
  const alike = new Map<string, Cell[]>(); // setting a colour takes as long as drawing ten cells
  for (const cell of cells) {
    const key = `${colourOf(picture, cell.index) ?? ""} ${picture.mask?.[cell.index] === 0 ? "pale" : ""}`;
    const group = alike.get(key);
    if (group) group.push(cell);
    else alike.set(key, [cell]);
  }
  for (const [key, group] of alike) {
    const [colour = "", pale] = key.split(" ");
    ctx.globalAlpha = pale ? 0.16 : 1;
    if (scale.named) for (const cell of group) paintTile(ctx, picture, cell, colour);
    else paintSquares(ctx, picture, group, colour);
  }
  ctx.globalAlpha = 1;
}

/** null: unknown, and hollow. */
function colourOf({ by, look, use, state }: Picture, index: number): string | null {
  if (by === "state") {
    const standing = STATES[state[index]!]!;
    return standing === "unknown" ? null : look.states[standing];
  }
  const share = use[index]!;
  if (Number.isNaN(share)) return null;
  return share > 1 ? look.over : look.use[Math.min(7, Math.floor(share * 8))]!;
}

function paintSquares(ctx: CanvasRenderingContext2D, picture: Picture, cells: Cell[], colour: string): void {
  const side = picture.layout.scale.x - picture.layout.scale.gap;
  if (!colour) {
    ctx.strokeStyle = picture.look.faint;
    ctx.lineWidth = 1;
    for (const { x, y } of cells) ctx.strokeRect(x + 0.5, y + 0.5, side - 1, side - 1);
    return;
  }
  ctx.fillStyle = colour;
  if (side < 14) for (const { x, y } of cells) ctx.fillRect(x, y, side, side);
  else
    for (const { x, y } of cells) {
      ctx.beginPath();
      ctx.roundRect(x, y, side, side, Math.min(4, side / 6));
      ctx.fill();
    }
  if (side >= 9 && picture.by === "state")
    for (const { index, x, y } of cells) paintSign(ctx, STATES[picture.state[index]!]!, x, y, side, picture.look);
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

function paintTile(ctx: CanvasRenderingContext2D, picture: Picture, { index, x, y }: Cell, colour: string): void {
  const { look, by } = picture;
  const { name, words } = picture.tile(index);
  const width = picture.layout.scale.x - picture.layout.scale.gap;
  const height = picture.layout.scale.y - picture.layout.scale.gap;
  ctx.save();
  ctx.beginPath();
  ctx.roundRect(x, y, width, height, 6);
  ctx.fillStyle = look.tile;
  ctx.fill();
  ctx.clip();
  const full = by === "use" ? Math.min(1, picture.use[index]!) : 1;
  if (!colour) {
    ctx.strokeStyle = look.faint;
    ctx.setLineDash([3, 3]);
    ctx.strokeRect(x + 0.5, y + height - 3.5, width - 1, 0.01);
  } else {
    ctx.fillStyle = look.line;
    ctx.fillRect(x, y + height - 4, width, 4);
    // Its length says how full it is already: one clear colour will do.
    ctx.fillStyle = by === "use" && colour !== look.over ? look.use[6]! : colour;
    ctx.fillRect(x, y + height - 4, width * full, 4);
  }
  ctx.textBaseline = "middle";
  ctx.fillStyle = look.ink;
  ctx.font = `550 ${height > 40 ? 13 : 12}px ${FONT}`;
  const middle = y + (height - 4) / 2;
  if (height > 40) {
    ctx.fillText(cut(ctx, name, width - 20), x + 10, middle - 8);
    ctx.font = `12px ${FONT}`;
    ctx.fillStyle = look.muted;
    ctx.fillText(cut(ctx, words, width - 20), x + 10, middle + 10);
  } else ctx.fillText(cut(ctx, name, width - 16), x + 8, middle);
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
