// What a person orders: pauses, their end, belief in a source. Asked for in a dialog, recorded by Podium with its author.

import { send, workloadPath, type Pause, type SourceRow } from "./api";

export type Question =
  | { what: "pause"; of: string }
  | { what: "resume"; of: string; pauses: Pause[] }
  | { what: "believe"; source: SourceRow };

const TOLD_MS = 8000;
const KEPT = "podium.name";

class Orders {
  question = $state.raw<Question | null>(null);
  told = $state(""); // what was just done
  private timer: ReturnType<typeof setTimeout> | undefined;

  /** `of`: a workload's key, or "" for everything. */
  pause(of: string): void {
    this.question = { what: "pause", of };
  }

  resume(of: string, pauses: Pause[]): void {
    this.question = { what: "resume", of, pauses };
  }

  believe(source: SourceRow): void {
    this.question = { what: "believe", source };
  }

  /** Who gives orders in this browser, as they said last time. */
  get name(): string {
    try {
      return localStorage.getItem(KEPT) ?? "";
    } catch {
      return "";
    }
  }

  remember(name: string): void {
    try {
      localStorage.setItem(KEPT, name);
    } catch {
      // a browser that keeps nothing is asked again
    }
  }

  tell(words: string): void {
    clearTimeout(this.timer);
    this.told = words;
    this.timer = setTimeout(() => (this.told = ""), TOLD_MS);
  }
}

/** `once` names this very order, so that a second click or a retry records it once. */
export async function give(question: Question, body: Record<string, unknown>, once: string, by: string): Promise<void> {
  await send(`${place(question)}/${question.what}`, body, { "idempotency-key": once, ...(by ? { "x-podium-actor": latin(by) } : {}) });
}

/** A header holds Latin-1 and nothing else. */
const latin = (text: string): string => text.replaceAll(/[^\x20-\xff]/g, "?");

function place(question: Question): string {
  if (question.what === "believe") return `/api/v1/sources/${encodeURIComponent(question.source.name)}`;
  if (question.of === "") return "/api/v1/fleet";
  if (question.of.split("/").length === 2)
    return `/api/v1/namespaces/${question.of.split("/").map(encodeURIComponent).join("/")}`;
  return workloadPath(question.of);
}

export const orders = new Orders();
