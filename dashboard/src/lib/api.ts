// The API's shapes (src/podium/loop/tell, src/podium/api; a test compares the names) and how they are asked for.

export interface Pause {
  of: string;
  direction: string;
  by: string;
  reason: string;
  since: number;
  until: number | null;
}

export interface Pair {
  podium: number | null;
  hpa: number | null;
}

export interface Cost {
  podium: number;
  hpa: number;
  currency: string;
}

export interface Comparison {
  since: number;
  hours: number;
  replica_hours: Pair;
  unserved_fraction: Pair;
  cost: Cost | null;
}

export interface Totals {
  tenant: string;
  workloads: number;
  replicas: number;
  ready: number;
  wanted: number;
  unknown: number;
  states: Record<string, number>;
  shadow: Comparison | null;
}

export interface Reduction {
  fraction: number;
  window_seconds: number;
  replicas: number;
  budget: number;
  taken: number;
  left: number;
  held: number;
}

/** What a replica serves, where that is learned and not written. */
export interface Capacity {
  estimate: number | null;
  margin: number | null;
  basis: string;
  reached: number | null;
  measured_seconds: number;
  words: string;
}

export interface WorkloadRow {
  key: string;
  tenant: string;
  mode: string;
  state: string;
  replicas: number | null;
  ready: number | null;
  wanted: number | null;
  minimum: number;
  maximum: number;
  load: number | null;
  load_unit: string;
  load_origin: string;
  capacity_per_replica: number | null;
  learned: Capacity | null;
  use: number | null;
  expected: number | null;
  coverage: number | null;
  trusted: boolean;
  paused: string;
  pauses: Pause[];
  hpa: number | null;
  shadow: Comparison | null;
  troubles: string[];
}

export interface SourceRow {
  name: string;
  kind: string;
  where: string;
  state: string;
  since: number | null;
  words: string;
  workloads: number;
  held: number;
}

export interface FleetView {
  at: number;
  tick: number;
  due: number | null;
  interval_seconds: number;
  speed: number;
  simulated: boolean;
  fleet: string;
  total: Totals | null;
  tenants: Totals[];
  tenant_count: number;
  sources: SourceRow[];
  reduction: Reduction | null;
  pauses: Pause[];
  guards: string[];
  next: string;
}

export interface ChangedColumns {
  state: number[];
  replicas: (number | null)[];
  ready: (number | null)[];
  wanted: (number | null)[];
  use: (number | null)[];
  paused: number[];
  doubted: boolean[];
}

export interface MapColumns extends ChangedColumns {
  slot: number[];
  key: string[];
  tenant: number[];
  mode: number[];
}

export interface MapView {
  at: number;
  tick: number;
  fleet: string;
  tenants: string[];
  modes: string[];
  states: string[];
  columns: MapColumns;
}

export interface MapChange {
  at: number;
  tick: number;
  fleet: string;
  slots: number[];
  columns: ChangedColumns;
}

export interface Band {
  made_at: number;
  at: number[];
  quantiles: Record<string, (number | null)[]>;
}

export interface WorkloadSeries {
  key: string;
  at: number[];
  load: (number | null)[];
  replicas: (number | null)[];
  ready: (number | null)[];
  wanted: (number | null)[];
  capacity: (number | null)[];
  expected: (number | null)[];
  hpa: (number | null)[];
  thinned: boolean;
  band: Band | null;
  shadow: Comparison | null;
}

export interface DecisionRow {
  tick: number;
  at: number;
  key: string;
  before: number | null;
  wanted: number | null;
  changed: boolean;
  actor: string;
  epoch: number;
  policy_digest: string;
  reasons: string[];
  outcome: string;
}

export interface Explanation {
  decision: DecisionRow;
  sentence: string;
  inputs: Record<string, string>;
}

export interface WorkloadTail {
  key: string;
  tick: number;
  at: number;
  row: WorkloadRow;
  series: WorkloadSeries;
  decisions: DecisionRow[];
}

export interface DecisionPage {
  items: DecisionRow[];
  next: string | null;
}

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export async function ask<T>(path: string, options: RequestInit = {}): Promise<T> {
  let answer: Response;
  try {
    answer = await fetch(path, { ...options, headers: { accept: "application/json", ...options.headers } });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, "Podium does not answer.");
  }
  if (answer.ok) return answer.status === 204 ? (undefined as T) : ((await answer.json()) as T);
  const problem = (await answer.json().catch(() => null)) as { detail?: string } | null;
  throw new Refused(answer.status, problem?.detail ?? `Podium answered with ${answer.status}.`);
}

/** A write, with the session's CSRF token. An `idempotency-key` makes it happen once, however often it is sent. */
export async function send<T>(path: string, body: unknown, headers: Record<string, string>): Promise<T> {
  const { csrf } = await ask<{ csrf: string }>("/session");
  return ask<T>(path, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", "x-csrf-token": csrf, ...headers },
  });
}

export function workloadPath(key: string): string {
  return `/api/v1/workloads/${key.split("/").map(encodeURIComponent).join("/")}`;
}
