// The last half hour of load of the workloads that are listed, when they are few enough to be asked for at once.

import { ask, type WorkloadRow } from "./api";

interface Page {
  items: WorkloadRow[];
  recent: { at: number[]; load: (number | null)[][] } | null;
}

interface Load {
  values: (number | null)[];
  load: number | null;
  unit: string;
}

export const FEW = 200; // rows; more of them show no small charts
const SECONDS = 1800;
const CALM_MS = 8000; // a simulation may turn ten times a second; small charts need not

export class Recent {
  private loads = $state.raw(new Map<string, Load>());
  private asked = "";
  private askedAt = -CALM_MS;
  private timer: ReturnType<typeof setTimeout> | undefined;

  of(key: string): Load | undefined {
    return this.loads.get(key);
  }

  /** `query`: which rows; "" for none. Called after every turn; asks at most every few seconds. */
  follow(query: string): void {
    clearTimeout(this.timer);
    if (query === "") return;
    const wait = query === this.asked ? Math.max(0, this.askedAt + CALM_MS - performance.now()) : 120;
    this.timer = setTimeout(() => void this.read(query), wait);
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private async read(query: string): Promise<void> {
    this.asked = query;
    this.askedAt = performance.now();
    try {
      const page = await ask<Page>(`/api/v1/workloads?limit=${FEW}&recent=${SECONDS}&${query}`);
      const loads = new Map(this.loads.size > 5 * FEW ? [] : this.loads);
      page.items.forEach((row, index) =>
        loads.set(row.key, { values: page.recent?.load[index] ?? [], load: row.load, unit: row.load_unit }),
      );
      this.loads = loads;
    } catch {
      // the rows stay as they are; the next turn asks again
    }
  }
}
