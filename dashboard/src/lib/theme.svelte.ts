// Dark or light: as the system says, unless the reader has chosen. The choice stays in this browser.

export type Choice = "system" | "light" | "dark";

const KEPT = "podium.theme";
const media = matchMedia("(prefers-color-scheme: dark)");

class Theme {
  choice = $state<Choice>(kept());
  private systemDark = $state(media.matches);

  constructor() {
    media.addEventListener("change", () => {
      this.systemDark = media.matches;
      this.apply();
    });
    this.apply();
  }

  get dark(): boolean {
    return this.choice === "dark" || (this.choice === "system" && this.systemDark);
  }

  /** The other one. Back at what the system says, it is followed again. */
  turn(): void {
    const dark = !this.dark;
    this.choice = dark === this.systemDark ? "system" : dark ? "dark" : "light";
    try {
      localStorage.setItem(KEPT, this.choice);
    } catch {
      // a browser that keeps nothing asks again next time
    }
    this.apply();
  }

  private apply(): void {
    document.documentElement.dataset["theme"] = this.dark ? "dark" : "light";
  }
}

function kept(): Choice {
  try {
    const said = localStorage.getItem(KEPT);
    return said === "light" || said === "dark" ? said : "system";
  } catch {
    return "system";
  }
}

export const theme = new Theme();
