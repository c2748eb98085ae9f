// Podium beside a plain HPA, in words. Nothing is said of what is not known, and nothing small is called a difference.

import type { Comparison } from "./api";
import { moment, money, number, UNKNOWN } from "./format";

export interface Compared {
  headline: string;
  detail: string;
}

const SAME = 0.005; // of the HPA's: less than half a percent is no difference

export function compared(shadow: Comparison | null): Compared {
  if (!shadow || shadow.hours <= 0) return { headline: UNKNOWN, detail: "compared once loads and capacities are known" };
  return { headline: pods(shadow), detail: `${unserved(shadow)}, since ${moment(shadow.since)}` };
}

/** How many replica-hours, or how much money, more or less. */
function pods(shadow: Comparison): string {
  const cost = shadow.cost;
  const [ours, theirs] = cost ? [cost.podium, cost.hpa] : [shadow.replica_hours.podium, shadow.replica_hours.hpa];
  if (ours === null || theirs === null || theirs === 0) return UNKNOWN;
  const off = ours / theirs - 1;
  const what = cost ? "cost" : "pod-hours";
  if (Math.abs(off) < SAME) return `same ${what}`;
  const much = cost ? ` (${money(Math.abs(ours - theirs), cost.currency)})` : "";
  return `${parts(Math.abs(off))} ${off < 0 ? (cost ? "less" : "fewer") : "more"} ${what}${much}`;
}

function unserved(shadow: Comparison): string {
  const { podium, hpa } = shadow.unserved_fraction;
  return `unserved ${fraction(podium)}, HPA ${fraction(hpa)}`;
}

/** A share of load as people say small ones: 0.03 %, under 0.01 %, none. */
export function fraction(value: number | null): string {
  if (value === null) return UNKNOWN;
  if (value === 0) return "none";
  if (value < 0.0001) return "< 0.01 %";
  return `${number(Math.round(value * 10000) / 100)} %`;
}

const parts = (value: number): string => `${value < 0.1 ? (value * 100).toFixed(1) : Math.round(value * 100)} %`;
