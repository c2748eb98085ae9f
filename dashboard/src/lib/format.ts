// Numbers and times as people read them. Unknown is a dash, never zero.

const whole = new Intl.NumberFormat("en-GB", { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const two = new Intl.NumberFormat("en-GB", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const UNKNOWN = "–";

export function number(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  const size = Math.abs(value);
  if (size >= 100 || Number.isInteger(value)) return whole.format(value);
  return size >= 10 ? one.format(value) : two.format(value);
}

export function quantity(value: number | null | undefined, unit: string): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return UNKNOWN;
  switch (unit) {
    case "per_second":
      return `${number(value)}/s`;
    case "cores":
      return `${two.format(value)} cores`;
    case "seconds":
      return value < 1 ? `${number(value * 1000)} ms` : `${number(value)} s`;
    case "ratio":
      return `${one.format(value * 100)} %`;
    case "bytes":
      return bytes(value);
    case "count":
      return number(value);
    default:
      return unit ? `${number(value)} ${unit.replaceAll("_", " ")}` : number(value);
  }
}

function bytes(value: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let step = 0;
  let size = Math.abs(value);
  while (size >= 1024 && step < units.length - 1) {
    size /= 1024;
    step += 1;
  }
  return `${number(Math.sign(value) * size)} ${units[step] ?? "B"}`;
}

export function percent(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : `${one.format(value * 100)} %`;
}

/** A share of capacity, as whole percent: 84 %. */
export function share(value: number): string {
  return Number.isFinite(value) ? `${whole.format(value * 100)} %` : UNKNOWN;
}

/** How many there are and how many there shall be: 12, or 12 → 14. */
export function steps(from: number, to: number): string {
  return from === to || Number.isNaN(to) ? number(from) : `${number(from)} → ${number(to)}`;
}

export function money(value: number, currency: string): string {
  const digits = Math.abs(value) >= 100 ? 0 : 2;
  return new Intl.NumberFormat("en-GB", { style: "currency", currency, currencyDisplay: "narrowSymbol", maximumFractionDigits: digits, minimumFractionDigits: digits }).format(value);
}

const clock = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", timeStyle: "medium" });
const short = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", weekday: "short", day: "numeric", month: "short", year: "numeric" });

export const timeOfDay = (seconds: number): string => clock.format(seconds * 1000);
export const hourMinute = (seconds: number): string => short.format(seconds * 1000);
export const date = (seconds: number): string => day.format(seconds * 1000);

const both = new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
/** A day and a minute: 2 Mar, 08:20. */
export const moment = (seconds: number): string => both.format(seconds * 1000);

export function span(seconds: number): string {
  if (seconds < 90) return `${Math.max(0, Math.round(seconds))} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${one.format(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}

export function named(key: string): { cluster: string; namespace: string; kind: string; name: string } {
  const [cluster = "", namespace = "", kind = "", name = ""] = key.split("/");
  return { cluster, namespace, kind: kind.split(".")[0] ?? kind, name };
}

export const origin = (text: string): "recorded" | "synthetic" | "measured" | "no source" =>
  text.startsWith("recorded") ? "recorded" : text.startsWith("synthetic") ? "synthetic" : text ? "measured" : "no source";
