// How a workload stands (docs/reference/http.md, States), in the order of how much it wants to be looked at.

export type State = "unknown" | "troubled" | "short" | "limited" | "held" | "growing" | "shrinking" | "off" | "steady";

export const STATES: State[] = ["short", "troubled", "unknown", "limited", "held", "growing", "shrinking", "off", "steady"];

export const WORDS: Record<State, { name: string; means: string }> = {
  short: { name: "Short", means: "more load than its ready pods can serve" },
  troubled: { name: "Troubled", means: "not led as its policy asks: a read or a write failed" },
  unknown: { name: "Unknown", means: "the cluster did not say how many replicas there are" },
  limited: { name: "Limited", means: "it asks for more than its maximum" },
  held: { name: "Held", means: "a pause, the reduction guard or a doubted source keeps it from another number" },
  growing: { name: "Growing", means: "more pods are wanted or starting" },
  shrinking: { name: "Shrinking", means: "fewer pods are wanted" },
  off: { name: "Off", means: "a person scaled it to zero" },
  steady: { name: "Steady", means: "as many pods as it needs" },
};
