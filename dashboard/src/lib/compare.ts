// Podium beside a plain HPA, in words. Nothing is said of what is not known, and nothing small is called a difference.

import type { Comparison } from "./api";
import { money, number, UNKNOWN } from "./format";

export interface Compared {
  unserved: string; // 5.9× less unserved load
  spent: string; // 5.8 % more pod-hours
  detail: string; // the figures behind both
}

const SAME = 0.005; // of the HPA's: less than half a percent is no difference
const ALIKE = 1.1; // times as much unserved load, up to which it is called the same

export function compared(shadow: Comparison | null): Compared {
  if (!shadow || shadow.hours <= 0) return { unserved: UNKNOWN, spent: "", detail: "compared once loads and capacities are known" };
  const { podium, hpa } = shadow.unserved_fraction;
  const words = spent(shadow);
  const shares = podium === null || hpa === null ? "" : `${fraction(podium)} against ${fraction(hpa)}`;
  return { unserved: unserved(podium, hpa), spent: words, detail: [shares, words].filter(Boolean).join("; ") };
}

function unserved(ours: number | null, theirs: number | null): string {
  if (ours === null || theirs === null) return UNKNOWN;
  if (ours < 0.00005 && theirs < 0.00005) return "all load served by both";
  if (ours < 0.00005) return "no unserved load";
  const times = theirs / ours;
  if (times >= ALIKE) return `${factor(times)} less unserved load`;
  return times <= 1 / ALIKE ? `${theirs > 0 ? `${factor(1 / times)} ` : ""}more unserved load` : "same unserved load";
}

const factor = (times: number): string => `${times >= 10 ? Math.round(times) : times.toFixed(1)}×`;

/** How many pod-hours, or how much money, more or less. */
function spent(shadow: Comparison): string {
  const cost = shadow.cost;
  const [ours, theirs] = cost ? [cost.podium, cost.hpa] : [shadow.replica_hours.podium, shadow.replica_hours.hpa];
  if (ours === null || theirs === null || theirs === 0) return "";
  const off = ours / theirs - 1;
  const what = cost ? "cost" : "pod-hours";
  if (Math.abs(off) < SAME) return `same ${what}`;
  const much = cost ? ` (${money(Math.abs(ours - theirs), cost.currency)})` : "";
  return `${parts(Math.abs(off))} ${off < 0 ? (cost ? "less" : "fewer") : "more"} ${what}${much}`;
}

/** A share of load as people say small ones: 0.03 %, under 0.01 %, none. */
export function fraction(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (value === 0) return "none";
  if (value < 0.0001) return "< 0.01 %";
  return `${number(Math.round(value * 10000) / 100)} %`;
}

const parts = (value: number): string => `${value < 0.1 ? (value * 100).toFixed(1) : Math.round(value * 100)} %`;
