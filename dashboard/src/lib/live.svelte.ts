// The one event stream of this page: what it last said, and how sure we are that it still speaks.

import { Refused, ask, workloadPath, type FleetView, type WorkloadTail } from "./api";

export type Status = "connecting" | "live" | "lost" | "signed out";

const SILENT_AFTER_MS = 30_000; // three heartbeats
const HIDDEN_AFTER_MS = 20_000; // a browser opens six connections per host: tabs nobody looks at give theirs back
const POINTS = 120; // of a row's small chart: half an hour of 15 s ticks

class Live {
  status = $state<Status>("connecting");
  fleet = $state.raw<FleetView | null>(null);
  now = $state(performance.now()); // moves once a second, for ages
  heardAt = $state(0); // when anything last came
  tickAt = $state(0); // when a tick last came
  gone = $state.raw<string | null>(null);
  connections = $state(0); // each one may have missed something
  sparks = $state.raw(new Map<string, (number | null)[]>());

  private source: EventSource | null = null;
  private topics = "";
  private retry: ReturnType<typeof setTimeout> | undefined;
  private wait = 1000;
  private paused = false;
  private tail: ((tail: WorkloadTail) => void) | null = null;
  private asked = new Set<string>();
  private history = new Map<string, (number | null)[]>();

  constructor() {
    setInterval(() => {
      this.now = performance.now();
      if (this.status === "live" && this.now - this.heardAt > SILENT_AFTER_MS) this.status = "lost";
    }, 1000);
    let leaving: ReturnType<typeof setTimeout> | undefined;
    document.addEventListener("visibilitychange", () => {
      clearTimeout(leaving);
      if (document.hidden) leaving = setTimeout(() => this.pause(), HIDDEN_AFTER_MS);
      else if (this.paused) this.connect();
    });
  }

  get tickAge(): number {
    return this.tickAt ? Math.max(0, (this.now - this.tickAt) / 1000) : 0;
  }

  get overdue(): boolean {
    const fleet = this.fleet;
    return fleet !== null && this.tickAge > (3 * fleet.interval_seconds) / Math.max(fleet.speed, 0.001) + 5;
  }

  listen(key: string | null, tail: ((tail: WorkloadTail) => void) | null): void {
    const topics = key ? `fleet,workload:${key}` : "fleet";
    this.tail = tail;
    if (topics === this.topics && this.source) return;
    this.topics = topics;
    this.gone = null;
    this.connect();
  }

  /** A new stream. The browser's own retries carry Last-Event-ID and miss nothing; this one begins anew. */
  connect(): void {
    clearTimeout(this.retry);
    this.source?.close();
    if (this.status !== "live") this.status = "connecting";
    this.connections += 1;
    this.paused = false;
    const source = new EventSource(`/api/v1/stream?topics=${encodeURIComponent(this.topics)}`);
    this.source = source;
    source.addEventListener("fleet", (event) => this.onFleet(JSON.parse(event.data) as FleetView));
    source.addEventListener("workload", (event) => {
      this.heard();
      this.tail?.(JSON.parse(event.data) as WorkloadTail);
    });
    source.addEventListener("gone", (event) => (this.gone = (JSON.parse(event.data) as { key: string }).key));
    source.addEventListener("beat", () => this.heard());
    source.onerror = () => void this.broken(source);
  }

  async signOut(): Promise<void> {
    const { csrf } = await ask<{ csrf: string }>("/session");
    await ask<undefined>("/session", { method: "DELETE", headers: { "x-csrf-token": csrf } });
    this.pause();
    this.fleet = null;
    this.status = "signed out";
  }

  private pause(): void {
    clearTimeout(this.retry);
    this.source?.close();
    this.paused = true;
    this.status = "connecting";
  }

  private heard(): void {
    this.now = this.heardAt = performance.now();
    this.status = "live";
    this.wait = 1000;
  }

  private onFleet(fleet: FleetView): void {
    this.heard();
    if (fleet.tick !== this.fleet?.tick) {
      this.tickAt = this.heardAt;
      for (const row of fleet.workloads) {
        const ring = this.history.get(row.key) ?? [];
        ring.push(row.load);
        if (ring.length > POINTS) ring.shift();
        this.history.set(row.key, ring);
      }
      this.sparks = new Map(this.history);
    }
    this.fleet = fleet;
  }

  // Rows that come into sight get their last half hour once; from then on the stream adds to it.
  async remember(keys: string[]): Promise<void> {
    const fleet = this.fleet;
    const missing = keys.filter((key) => !this.asked.has(key));
    if (!fleet || missing.length === 0) return;
    missing.forEach((key) => this.asked.add(key));
    const since = fleet.at - POINTS * fleet.interval_seconds;
    const one = async (): Promise<void> => {
      for (let key = missing.shift(); key; key = missing.shift()) {
        const seen = this.history.get(key)?.length ?? 0;
        if (seen >= POINTS) continue;
        try {
          const series = await ask<{ load: (number | null)[] }>(
            `${workloadPath(key)}/series?since=${since}&until=${fleet.at}`,
          );
          const later = this.history.get(key) ?? [];
          this.history.set(key, [...series.load, ...later.slice(seen)].slice(-POINTS));
        } catch {
          this.asked.delete(key); // the row stays with what the stream brings
          return;
        }
      }
    };
    await Promise.all([one(), one(), one(), one()]);
    this.sparks = new Map(this.history);
  }

  private async broken(source: EventSource): Promise<void> {
    if (source !== this.source) return;
    if (this.status === "live") this.status = "lost";
    if (source.readyState !== EventSource.CLOSED) return; // the browser tries again by itself, with Last-Event-ID
    try {
      await ask("/session");
    } catch (error) {
      if (error instanceof Refused && error.status === 401) {
        this.status = "signed out";
        return;
      }
    }
    if (this.status !== "connecting") this.status = "lost";
    this.retry = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(this.wait * 2, 10_000);
  }
}

export const live = new Live();
