// Which stretch of time is shown. It follows the present until somebody goes back, and can be written into the address.

export interface Shown {
  seconds: number; // how much of the past, or of anything once `end` is set
  end: number | null; // null: follows the present, and shows some of the future
}

export const RANGES: [string, number][] = [
  ["30 m", 1800],
  ["1 h", 3600],
  ["3 h", 10800],
  ["12 h", 43200],
  ["24 h", 86400],
  ["7 d", 604800],
];
export const USUAL = 3600;
const SHORTEST = 120;
const LONGEST = 14 * 86400;
const AHEAD = 0.45; // at most so much of the shown past is shown of the future

export interface Edges {
  from: number;
  to: number;
}

/** `reach`: the last moment that the forecast speaks of. */
export function edges(shown: Shown, now: number, reach: number): Edges {
  if (shown.end !== null) return { from: shown.end - shown.seconds, to: shown.end };
  const ahead = Math.max(Math.min(reach - now, shown.seconds * AHEAD), shown.seconds * 0.02);
  return { from: now - shown.seconds, to: now + ahead };
}

/** Nearer or further about `about`, which keeps its place. */
export function zoomed(of: Edges, factor: number, about: number, now: number, reach: number): Shown {
  const seconds = Math.min(LONGEST, Math.max(SHORTEST, (of.to - of.from) * factor));
  const from = about - ((about - of.from) / (of.to - of.from)) * seconds;
  return settled({ from, to: from + seconds }, now, reach);
}

export function panned(of: Edges, seconds: number, now: number, reach: number): Shown {
  return settled({ from: of.from + seconds, to: of.to + seconds }, now, reach);
}

/** What these edges ask for: nothing lies beyond the forecast. */
export function settled(of: Edges, now: number, reach: number): Shown {
  const most = Math.max(reach, now + (of.to - of.from) * 0.02);
  const end = Math.min(of.to, most);
  return { seconds: of.to - of.from, end };
}

export function read(params: URLSearchParams): Shown {
  const seconds = Number(params.get("span"));
  const end = Number(params.get("to"));
  return {
    seconds: seconds >= SHORTEST && seconds <= LONGEST ? seconds : USUAL,
    end: end > 0 && Number.isFinite(end) ? end : null,
  };
}

export function written(shown: Shown): Record<string, string> {
  return {
    span: shown.seconds === USUAL ? "" : String(Math.round(shown.seconds)),
    to: shown.end === null ? "" : String(Math.round(shown.end)),
  };
}
