// Pauses in words.

import type { Pause } from "./api";
import { date, hourMinute, named } from "./format";

export const DIRECTIONS: Record<string, string> = { up: "Scaling up", down: "Scaling down", both: "Scaling up and down" };

export function of(what: string): string {
  if (what === "") return "everything";
  const parts = what.split("/");
  return parts.length === 4 ? named(what).name : `namespace ${parts.at(-1)}`;
}

/** Until when, said as briefly as it can be understood at `now`. */
export function until(pause: { until: number | null }, now: number): string {
  if (pause.until === null) return "until somebody resumes it";
  const sameDay = date(pause.until) === date(now);
  return `until ${hourMinute(pause.until)} UTC${sameDay ? "" : `, ${date(pause.until)}`}`;
}

export function pauseWords(pause: Pause, now: number): string {
  const reason = pause.reason ? `: ${pause.reason}` : "";
  return `${DIRECTIONS[pause.direction] ?? pause.direction} of ${of(pause.of)} is paused ${until(pause, now)}, by ${pause.by}${reason}`;
}
