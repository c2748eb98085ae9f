// The one event stream of this page: what it last said, and how sure we are that it still speaks.

import { Refused, ask, type FleetView, type MapChange, type MapView, type WorkloadTail } from "./api";
import { fleet as columns } from "./fleet.svelte";

export type Status = "connecting" | "live" | "lost" | "signed out";

const SILENT_AFTER_MS = 30_000; // three heartbeats
const HIDDEN_AFTER_MS = 20_000; // a browser opens six connections per host: tabs nobody looks at give theirs back

class Live {
  status = $state<Status>("connecting");
  fleet = $state.raw<FleetView | null>(null);
  mapped = $state(false); // the map has come at least once
  now = $state(performance.now()); // moves once a second, for ages
  heardAt = $state(0); // when anything last came
  tickAt = $state(0); // when a tick last came
  gone = $state.raw<string | null>(null);
  connections = $state(0); // each one may have missed something
  retryAt = $state(0); // when the next try begins; 0: it is under way, or the browser's own

  private source: EventSource | null = null;
  private topics = "";
  private retry: ReturnType<typeof setTimeout> | undefined;
  private wait = 1000;
  private paused = false;
  private tail: ((tail: WorkloadTail) => void) | null = null;

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

  /** What the loop's clock shows now, as far as we know: simulations run faster than we do. */
  get loopNow(): number {
    const fleet = this.fleet;
    return fleet ? fleet.at + this.tickAge * fleet.speed : Date.now() / 1000;
  }

  listen(key: string | null, tail: ((tail: WorkloadTail) => void) | null): void {
    const topics = key ? `fleet,workload:${key}` : "fleet,map";
    this.tail = tail;
    if (topics === this.topics && this.source) return;
    this.topics = topics;
    this.gone = null;
    this.connect();
  }

  /** A new stream. The browser's own retries carry Last-Event-ID and miss nothing; this one begins anew. */
  connect(): void {
    clearTimeout(this.retry);
    this.retryAt = 0;
    this.source?.close();
    if (this.status !== "live") this.status = "connecting";
    this.connections += 1;
    this.paused = false;
    const source = new EventSource(`/api/v1/stream?topics=${encodeURIComponent(this.topics)}`);
    this.source = source;
    const on = <T>(name: string, take: (data: T) => void): void =>
      source.addEventListener(name, (event) => {
        this.heard();
        take(JSON.parse(event.data) as T);
      });
    on<FleetView>("fleet", (fleet) => this.onFleet(fleet));
    on<MapView>("map", (view) => {
      columns.load(view);
      this.mapped = true;
    });
    on<MapChange>("moved", (change) => {
      if (!columns.change(change)) void this.readMap();
    });
    on<WorkloadTail>("workload", (tail) => this.tail?.(tail));
    on<{ key: string }>("gone", ({ key }) => (this.gone = key));
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
    if (fleet.tick !== this.fleet?.tick) this.tickAt = this.heardAt;
    this.fleet = fleet;
  }

  private async readMap(): Promise<void> {
    try {
      columns.load(await ask<MapView>("/api/v1/map"));
    } catch {
      this.connect(); // a new stream begins with the whole map
    }
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
    this.retryAt = performance.now() + this.wait;
    this.retry = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(this.wait * 2, 10_000);
  }
}

export const live = new Live();
