// The API's shapes (src/podium/loop/view.py; a test compares the names) and how they are asked for.

export interface WorkloadRow {
  key: string;
  tenant: string;
  mode: string;
  replicas: number | null;
  ready: number | null;
  wanted: number | null;
  minimum: number;
  maximum: number;
  load: number | null;
  load_unit: string;
  load_origin: string;
  capacity_per_replica: number | null;
  expected: number | null;
  coverage: number | null;
  trusted: boolean;
  paused: string;
  troubles: string[];
}

export interface SourceRow {
  name: string;
  kind: string;
  where: string;
  state: string;
  since: number | null;
  words: string;
}

export interface FleetView {
  at: number;
  tick: number;
  interval_seconds: number;
  speed: number;
  simulated: boolean;
  workloads: WorkloadRow[];
  sources: SourceRow[];
  guards: string[];
  next: string;
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
  band: Band | null;
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

export function workloadPath(key: string): string {
  return `/api/v1/workloads/${key.split("/").map(encodeURIComponent).join("/")}`;
}
