// Where each workload's cell lies: a block per tenant, blocks in strips, every cell of the fleet the same size.
// It is a strip treemap (Bederson, Shneiderman, Wattenberg 2002) on a grid of cells: the order of tenants is kept, so a
// fleet that grows by one workload does not rearrange the map.

export interface Scale {
  x: number; // from one cell to the next, CSS pixels
  y: number;
  gap: number;
  named: boolean; // cells large enough to be read
}

export interface Block {
  x: number;
  y: number; // of the label; cells begin LABEL further down
  width: number;
  columns: number;
  rows: number;
  count: number;
}

export interface Layout {
  scale: Scale;
  blocks: Block[]; // one per tenant, in the order given
  width: number;
  height: number;
}

export const LABEL = 22;
const BETWEEN = 14; // blocks
const NARROWEST = 64; // room for a tenant's label …
const WIDEST = 150; // … which is cut beyond this
const LETTER = 7.3;
const SHAPE = 1.5; // width to height that a block should have: wide enough for its label
const EMPTY = 1.6; // how much a strip's unused width weighs against blocks out of shape
const SCALES: Scale[] = [
  { x: 220, y: 66, gap: 6, named: true },
  { x: 164, y: 52, gap: 4, named: true },
  { x: 132, y: 46, gap: 4, named: true },
  { x: 104, y: 36, gap: 3, named: true },
  ...[34, 30, 26, 22, 19, 17, 15, 13, 12, 11, 10, 9].map((side) => ({ x: side, y: side, gap: 2, named: false })),
  ...[8, 7, 6, 5].map((side) => ({ x: side, y: side, gap: 1, named: false })),
];

export interface Tenant {
  name: string;
  count: number;
}

/** The largest cells with which all tenants fit into the room; with the smallest it grows downwards. */
export function layout(tenants: Tenant[], width: number, height: number): Layout {
  let found: Layout | undefined;
  for (const scale of SCALES) {
    if (scale.x > width / 2 && scale.named) continue;
    found = inStrips(tenants, width, scale);
    if (found.height <= height) break;
  }
  return found ?? inStrips(tenants, width, SCALES[SCALES.length - 1]!);
}

function inStrips(tenants: Tenant[], width: number, scale: Scale): Layout {
  const blocks: Block[] = [];
  let top = 0;
  for (let first = 0; first < tenants.length; ) {
    let best = strip(tenants, first, 1, width, scale);
    for (let many = 2; first + many <= tenants.length; many += 1) {
      const wider = strip(tenants, first, many, width, scale);
      if (wider.cost > best.cost) break;
      best = wider;
    }
    let left = 0;
    best.widths.forEach((block, index) => {
      const { count } = tenants[first + index]!;
      const columns = Math.max(1, Math.min(count, Math.floor(block / scale.x)));
      blocks.push({ x: left, y: top, width: block, columns, rows: Math.ceil(count / columns), count });
      left += block + BETWEEN;
    });
    top += LABEL + Math.max(...blocks.slice(first).map((block) => block.rows)) * scale.y + BETWEEN;
    first += best.widths.length;
  }
  return { scale, blocks, width, height: Math.max(0, top - BETWEEN) };
}

/** `many` tenants side by side, in as few rows as the width allows. */
function strip(tenants: Tenant[], first: number, many: number, width: number, scale: Scale): { widths: number[]; cost: number } {
  const chosen = tenants.slice(first, first + many);
  const widthsIn = (rows: number): number[] =>
    chosen.map((tenant) => Math.max(labelled(tenant), Math.ceil(tenant.count / rows) * scale.x));
  const total = (widths: number[]): number => widths.reduce((sum, each) => sum + each, 0) + (many - 1) * BETWEEN;
  let low = 1;
  let high = Math.max(1, ...chosen.map(({ count }) => count));
  while (low < high) {
    const middle = (low + high) >> 1;
    if (total(widthsIn(middle)) <= width) high = middle;
    else low = middle + 1;
  }
  const widths = widthsIn(low);
  if (many > 1 && total(widths) > width) return { widths, cost: Infinity };
  const height = low * scale.y + LABEL;
  const off = widths.map((each) => Math.abs(Math.log(each / (height * SHAPE))));
  const empty = Math.max(0, 1 - total(widths) / width);
  return { widths, cost: off.reduce((sum, each) => sum + each, 0) / many + EMPTY * empty };
}

const labelled = ({ name, count }: Tenant): number =>
  Math.min(WIDEST, Math.max(NARROWEST, Math.ceil(LETTER * (name.length + String(count).length)) + 14));

/** The corner of the cell of the `index`-th workload of a block. */
export function corner(of: Layout, block: Block, index: number): [number, number] {
  const row = Math.floor(index / block.columns);
  return [block.x + (index - row * block.columns) * of.scale.x, block.y + LABEL + row * of.scale.y];
}

/** Which block, and which of its workloads (-1: its label), lies under a point. */
export function under(of: Layout, x: number, y: number): [number, number] | null {
  for (const [number, block] of of.blocks.entries()) {
    if (x < block.x || x >= block.x + block.width || y < block.y) continue;
    if (y < block.y + LABEL) return [number, -1];
    const column = Math.floor((x - block.x) / of.scale.x);
    const row = Math.floor((y - block.y - LABEL) / of.scale.y);
    const index = row * block.columns + column;
    if (column < block.columns && row < block.rows && index < block.count) return [number, index];
  }
  return null;
}
