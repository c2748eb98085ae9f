// Keys that work wherever nothing is being typed. The view on top is asked first.

type Keys = Record<string, () => void>;

class Keyboard {
  help = $state(false);
  private layers: Keys[] = [];

  constructor() {
    window.addEventListener("keydown", (event) => this.press(event));
  }

  /** Answers how to take these keys away again. */
  add(keys: Keys): () => void {
    this.layers.push(keys);
    return () => (this.layers = this.layers.filter((each) => each !== keys));
  }

  private press(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.altKey || event.ctrlKey || event.metaKey) return;
    const target = event.target as HTMLElement;
    if (target.closest("dialog") || target.matches("input:not([type=radio]), textarea, select")) return;
    for (const layer of [...this.layers].reverse()) {
      const act = layer[event.key];
      if (!act) continue;
      event.preventDefault();
      act();
      return;
    }
  }
}

export const keyboard = new Keyboard();
