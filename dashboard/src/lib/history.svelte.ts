// One workload's past, forecast and decisions. The last hours are kept up by the stream; older times are asked for when
// somebody looks at them.

import { Refused, ask, workloadPath, type DecisionPage, type DecisionRow, type WorkloadRow, type WorkloadSeries, type WorkloadTail } from "./api";

type Column = "load" | "replicas" | "ready" | "wanted" | "capacity" | "expected" | "hpa";
const COLUMNS: Column[] = ["load", "replicas", "ready", "wanted", "capacity", "expected", "hpa"];
const UNCHANGED_KEPT = 300; // the rest of them is asked for when the cursor gets there
export const KEPT_SECONDS = 3 * 3600;
const MARGIN = 0.5; // of what is looked at, asked for on either side
const POINTS = 1500; // for one look at the past: about one per pixel

export class History {
  row = $state.raw<WorkloadRow | null>(null);
  unknown = $state(false);
  decisions = $state.raw<DecisionRow[]>([]);
  older = $state.raw<string | null>(null);
  trouble = $state("");
  reading = $state(false);
  private recent = $state.raw<WorkloadSeries | null>(null);
  private past = $state.raw<(WorkloadSeries & { from: number; to: number }) | null>(null);
  private looked: [number, number] = [0, 0];

  constructor(readonly key: string) {}

  /** What is known best of the time that is looked at. */
  get series(): WorkloadSeries | null {
    return this.past ?? this.recent;
  }

  async read(): Promise<void> {
    try {
      const [row, series, newest, page] = await Promise.all([
        ask<WorkloadRow>(workloadPath(this.key)),
        ask<WorkloadSeries>(`${workloadPath(this.key)}/series?points=1500`),
        ask<DecisionPage>(`${workloadPath(this.key)}/decisions?limit=20`),
        ask<DecisionPage>(`${workloadPath(this.key)}/decisions?limit=50&changed=true`),
      ]);
      this.row = row;
      this.recent = this.recent ? joined(series, after(this.recent, series.at.at(-1) ?? 0)) : series;
      this.decisions = mergedRows([...newest.items, ...page.items], this.decisions);
      this.older = page.next;
      this.unknown = false;
      this.trouble = "";
    } catch (error) {
      this.unknown = error instanceof Refused && error.status === 404;
      this.trouble = error instanceof Error ? error.message : String(error);
    }
  }

  /** Somebody looks at this stretch of time. */
  async look(from: number, to: number): Promise<void> {
    this.looked = [from, to];
    const begin = this.recent?.at[0] ?? Infinity;
    if (from >= begin - 60) {
      this.past = null;
      return;
    }
    const had = this.past;
    const sameGrain = had !== null && had.to - had.from < 3.2 * (1 + 2 * MARGIN) * (to - from);
    if (had && sameGrain && had.from <= from && had.to >= Math.min(to, this.recent?.at.at(-1) ?? to)) return;
    const since = from - MARGIN * (to - from);
    const until = to + MARGIN * (to - from);
    this.reading = true;
    try {
      const now = this.recent?.at.at(-1) ?? until;
      const series = await ask<WorkloadSeries>(
        `${workloadPath(this.key)}/series?since=${since}&until=${Math.min(until, now)}&points=${POINTS}`,
      );
      if (this.looked[0] !== from || this.looked[1] !== to) return; // somebody looks elsewhere by now
      this.past = { ...series, band: this.recent?.band ?? series.band, from: since, to: until };
    } catch {
      // what is there stays; the next look asks again
    } finally {
      this.reading = false;
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
    this.row = tail.row;
    this.recent = this.recent ? joined(this.recent, tail.series) : tail.series;
    const past = this.past;
    const first = tail.series.at[0];
    if (past && first !== undefined && past.to >= first) {
      const at = tail.series.at.at(-1) ?? first;
      this.past = { ...joined(past, tail.series, Infinity), from: past.from, to: Math.max(past.to, at + 3600) };
    }
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

function joined(past: WorkloadSeries, tail: WorkloadSeries, keptSeconds = KEPT_SECONDS): WorkloadSeries {
  const first = tail.at[0];
  const last = tail.at.at(-1) ?? past.at.at(-1) ?? 0;
  if (first === undefined) return { ...past, band: tail.band ?? past.band };
  const until = past.at.findIndex((at) => at >= first);
  const keep = until < 0 ? past.at.length : until;
  const begin = Math.max(0, past.at.findIndex((at) => at > last - keptSeconds));
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
