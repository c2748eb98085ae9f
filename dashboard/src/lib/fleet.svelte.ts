// The whole fleet as columns, an entry per workload: read once, then moved by the stream's changes.

import type { MapChange, MapView } from "./api";
import { named } from "./format";
import { STATES, type State } from "./states";

export interface Asked {
  text: string;
  tenant: string;
  state: string;
  mode: string;
  mark: string; // one of MARKS, or ""
}

export type Mark = "paused" | "doubted";
export const MARKS: Mark[] = ["paused", "doubted"];
export const PAUSED = ["none", "up", "down", "both"] as const;

export type Order = "name" | "state" | "ready" | "use";

class Fleet {
  version = $state(0); // moves with every change of a value
  shape = $state(0); // moves when workloads come or go
  size = $state(0);
  fleet = ""; // which set of workloads this is, in the server's words
  tick = -1;
  moved: number[] | null = []; // what the newest version changed; null: everything

  keys: string[] = [];
  names: string[] = [];
  tenants: string[] = []; // as people read them, A to Z
  groups: number[][] = []; // the workloads of each tenant, A to Z
  modes: string[] = [];
  tenantOf = new Int32Array();
  modeOf = new Int32Array();
  stateOf = new Uint8Array(); // index into STATES
  replicas = new Float64Array(); // NaN: unknown, here and below
  ready = new Float64Array();
  wanted = new Float64Array();
  use = new Float64Array();
  paused = new Uint8Array(); // index into PAUSED
  doubted = new Uint8Array(); // 1: a source of its signals is silent or not believed
  private texts: string[] = [];
  private rank = new Int32Array(); // place when read by tenant and name
  private place = new Int32Array(); // of each slot; -1: nobody's
  private states: number[] = []; // the server's numbers -> ours

  state(index: number): State {
    return STATES[this.stateOf[index]!]!;
  }

  tenant(index: number): string {
    return this.tenants[this.tenantOf[index]!] ?? "";
  }

  /** Everything anew. */
  load(view: MapView): void {
    const { columns } = view;
    const count = columns.key.length;
    const sameFleet = view.fleet === this.fleet && count === this.keys.length;
    this.tick = view.tick;
    this.states = view.states.map(known);
    if (!sameFleet) this.arrange(view);
    const slots = columns.slot;
    this.place = new Int32Array(count ? Math.max(...chunks(slots)) + 1 : 0).fill(-1);
    slots.forEach((slot, index) => (this.place[slot] = index));
    this.stateOf = Uint8Array.from(columns.state, (state) => this.states[state] ?? STATES.length - 1);
    this.modeOf = Int32Array.from(columns.mode);
    this.modes = view.modes;
    this.replicas = numbers(columns.replicas);
    this.ready = numbers(columns.ready);
    this.wanted = numbers(columns.wanted);
    this.use = numbers(columns.use);
    this.paused = Uint8Array.from(columns.paused);
    this.doubted = Uint8Array.from(columns.doubted, Number);
    this.moved = null;
    this.version += 1;
    if (!sameFleet) this.shape += 1;
  }

  /** What moved. False: it belongs to another set of workloads, and the whole is to be read anew. */
  change(change: MapChange): boolean {
    if (change.fleet !== this.fleet) return false;
    if (change.tick < this.tick) return true; // the map was read after it
    const { columns } = change;
    const moved: number[] = [];
    change.slots.forEach((slot, at) => {
      const index = this.place[slot] ?? -1;
      if (index < 0) return;
      this.stateOf[index] = this.states[columns.state[at]!] ?? STATES.length - 1;
      this.replicas[index] = columns.replicas[at] ?? NaN;
      this.ready[index] = columns.ready[at] ?? NaN;
      this.wanted[index] = columns.wanted[at] ?? NaN;
      this.use[index] = columns.use[at] ?? NaN;
      this.paused[index] = columns.paused[at] ?? 0;
      this.doubted[index] = Number(columns.doubted[at] ?? false);
      moved.push(index);
    });
    this.tick = change.tick;
    this.moved = moved;
    this.version += 1;
    return true;
  }

  /** 1 for every workload that is asked for. */
  mask(asked: Asked): Uint8Array {
    const words = asked.text.toLowerCase().split(/\s+/).filter(Boolean);
    const state = asked.state ? STATES.indexOf(asked.state as State) : -1;
    const mode = asked.mode ? this.modes.indexOf(asked.mode) : -1;
    const tenant = asked.tenant ? this.tenants.indexOf(asked.tenant) : -1;
    const mask = new Uint8Array(this.size);
    for (let index = 0; index < mask.length; index += 1) {
      const holds =
        (!asked.state || this.stateOf[index] === state) &&
        (!asked.mode || this.modeOf[index] === mode) &&
        (!asked.tenant || this.tenantOf[index] === tenant) &&
        (!asked.mark || this[asked.mark as Mark][index]! > 0) &&
        words.every((word) => this.texts[index]!.includes(word));
      if (holds) mask[index] = 1;
    }
    return mask;
  }

  /** The workloads of a mask, in order. Unknown comes last either way. */
  sorted(mask: Uint8Array, by: Order, down: boolean): number[] {
    const chosen: number[] = [];
    for (let index = 0; index < mask.length; index += 1) if (mask[index]) chosen.push(index);
    const rank = this.rank;
    const sign = down ? -1 : 1;
    if (by === "name") return chosen.sort((a, b) => sign * (rank[a]! - rank[b]!));
    const values: ArrayLike<number> = by === "state" ? this.stateOf : this[by];
    return chosen.sort((a, b) => {
      const [x, y] = [values[a]!, values[b]!];
      if (x === y || (Number.isNaN(x) && Number.isNaN(y))) return rank[a]! - rank[b]!;
      if (Number.isNaN(x)) return 1;
      if (Number.isNaN(y)) return -1;
      return sign * (x - y);
    });
  }

  /** How many of a mask are in each state, and bear each mark. */
  counts(mask: Uint8Array | null): Map<State | Mark, number> {
    const counts = new Map<State | Mark, number>();
    for (let index = 0; index < this.size; index += 1) {
      if (mask && !mask[index]) continue;
      const state = this.state(index);
      counts.set(state, (counts.get(state) ?? 0) + 1);
      for (const mark of MARKS) if (this[mark][index]) counts.set(mark, (counts.get(mark) ?? 0) + 1);
    }
    return counts;
  }

  private arrange(view: MapView): void {
    const { key, tenant } = view.columns;
    this.fleet = view.fleet;
    this.keys = key;
    this.size = key.length;
    this.names = key.map((each) => named(each).name);
    const order = [...view.tenants.keys()].sort((a, b) => view.tenants[a]!.localeCompare(view.tenants[b]!));
    const place = new Map(order.map((old, index) => [old, index]));
    this.tenants = order.map((old) => view.tenants[old]!);
    this.tenantOf = Int32Array.from(tenant, (old) => place.get(old) ?? 0);
    this.texts = key.map((each, index) => `${each} ${this.tenant(index)}`.toLowerCase());
    const byName = [...key.keys()].sort(
      (a, b) => this.tenantOf[a]! - this.tenantOf[b]! || (this.keys[a]! < this.keys[b]! ? -1 : 1),
    );
    this.rank = new Int32Array(key.length);
    byName.forEach((index, rank) => (this.rank[index] = rank));
    this.groups = this.tenants.map(() => []);
    for (const index of byName) this.groups[this.tenantOf[index]!]!.push(index);
  }
}

function known(state: string): number {
  const number = STATES.indexOf(state as State);
  return number < 0 ? STATES.length - 1 : number;
}

const numbers = (column: (number | null)[]): Float64Array<ArrayBuffer> => Float64Array.from(column, (value) => value ?? NaN);

/** The largest of each thousand: a function takes only so many arguments. */
function chunks(values: number[]): number[] {
  const out: number[] = [];
  for (let at = 0; at < values.length; at += 1000) out.push(Math.max(...values.slice(at, at + 1000)));
  return out;
}

export const fleet = new Fleet();
