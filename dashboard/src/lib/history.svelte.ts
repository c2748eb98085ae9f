// One workload's past, forecast and decisions: read once, then kept up by the stream.

import { ask, workloadPath, type DecisionPage, type DecisionRow, type WorkloadSeries, type WorkloadTail } from "./api";

type Column = "load" | "replicas" | "ready" | "wanted" | "capacity" | "expected";
const COLUMNS: Column[] = ["load", "replicas", "ready", "wanted", "capacity", "expected"];
const UNCHANGED_KEPT = 300; // the rest of them is asked for when the cursor gets there
export const KEPT_SECONDS = 3 * 3600;

export class History {
  series = $state.raw<WorkloadSeries | null>(null);
  decisions = $state.raw<DecisionRow[]>([]);
  older = $state.raw<string | null>(null);
  trouble = $state("");

  constructor(readonly key: string) {}

  async read(): Promise<void> {
    try {
      const [series, newest, page] = await Promise.all([
        ask<WorkloadSeries>(`${workloadPath(this.key)}/series`),
        ask<DecisionPage>(`${workloadPath(this.key)}/decisions?limit=20`),
        ask<DecisionPage>(`${workloadPath(this.key)}/decisions?limit=50&changed=true`),
      ]);
      this.series = this.series ? joined(series, after(this.series, series.at.at(-1) ?? 0)) : series;
      this.decisions = mergedRows([...newest.items, ...page.items], this.decisions);
      this.older = page.next;
      this.trouble = "";
    } catch (error) {
      this.trouble = error instanceof Error ? error.message : String(error);
    }
  }

  async readOlder(): Promise<void> {
    if (!this.older) return;
    const page = await ask<DecisionPage>(
      `${workloadPath(this.key)}/decisions?limit=50&changed=true&cursor=${encodeURIComponent(this.older)}`,
    );
    this.decisions = mergedRows(page.items, this.decisions);
    this.older = page.next;
  }

  add(tail: WorkloadTail): void {
    if (tail.key !== this.key) return;
    this.series = this.series ? joined(this.series, tail.series) : tail.series;
    if (tail.decisions.length > 0) this.decisions = mergedRows(tail.decisions, this.decisions);
  }

  decisionAt(at: number): DecisionRow | undefined {
    return this.decisions.find((row) => row.at <= at);
  }
}

/** The part of a series that is newer than `at`: tails that came while the past was being read. */
function after(series: WorkloadSeries, at: number): WorkloadSeries {
  const first = series.at.findIndex((each) => each > at);
  const begin = first < 0 ? series.at.length : first;
  const out = { ...series, at: series.at.slice(begin), band: first < 0 ? null : series.band };
  for (const name of COLUMNS) out[name] = series[name].slice(begin);
  return out;
}

function joined(past: WorkloadSeries, tail: WorkloadSeries): WorkloadSeries {
  const first = tail.at[0];
  const last = tail.at.at(-1) ?? past.at.at(-1) ?? 0;
  if (first === undefined) return { ...past, band: tail.band ?? past.band };
  const until = past.at.findIndex((at) => at >= first);
  const keep = until < 0 ? past.at.length : until;
  const begin = Math.max(0, past.at.findIndex((at) => at > last - KEPT_SECONDS));
  const cut = <T>(a: T[], b: T[]): T[] => [...a.slice(begin, keep), ...b];
  const out = { ...past, band: tail.band ?? past.band, at: cut(past.at, tail.at) };
  for (const name of COLUMNS) out[name] = cut(past[name], tail[name]);
  return out;
}

function mergedRows(a: DecisionRow[], b: DecisionRow[]): DecisionRow[] {
  const byTick = new Map([...b, ...a].map((row) => [row.tick, row]));
  const rows = [...byTick.values()].sort((x, y) => y.tick - x.tick);
  return rows.filter((row, index) => row.changed || index < UNCHANGED_KEPT);
}
