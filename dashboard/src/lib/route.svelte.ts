// What is shown lives in the address: it can be shared, and the back button goes back.

export type Place = { page: "fleet" } | { page: "guards" } | { page: "workload"; key: string };

class Route {
  place = $state.raw<Place>({ page: "fleet" });
  params = $state.raw(new URLSearchParams());
  refused = $state(false);
  fleetAt = $state("#/"); // the fleet as it was last looked at: where one step back leads

  constructor() {
    this.read();
    window.addEventListener("popstate", () => this.read());
    window.addEventListener("hashchange", () => this.read());
  }

  get(name: string): string {
    return this.params.get(name) ?? "";
  }

  /** Change parameters of this view; "" takes one away. `push`: the back button comes back to what was before. */
  set(changes: Record<string, string>, push = false): void {
    const next = new URLSearchParams(this.params);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const address = `#${path(this.place)}${query(next)}`;
    if (address === location.hash) return;
    if (push) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
    this.params = next;
    this.keep();
  }

  private read(): void {
    const [where = "", asked = ""] = location.hash.replace(/^#\/?/, "").split("?", 2);
    this.refused = where === "refused";
    this.params = new URLSearchParams(asked);
    const next: Place = where.startsWith("w/")
      ? { page: "workload", key: decodeURIComponent(where.slice(2)) }
      : { page: where === "guards" ? "guards" : "fleet" };
    if (path(next) !== path(this.place)) this.place = next;
    this.keep();
  }

  private keep(): void {
    if (this.place.page === "fleet") this.fleetAt = `#/${query(this.params)}`;
  }
}

function path(place: Place): string {
  if (place.page === "workload") return `/w/${place.key}`; // keys hold nothing that an address would escape
  return place.page === "guards" ? "/guards" : "/";
}

function query(params: URLSearchParams): string {
  const text = params.toString().replaceAll("%3A", ":").replaceAll("%2F", "/");
  return text ? `?${text}` : "";
}

export const link = (key: string): string => `#/w/${key}`;
export const route = new Route();
