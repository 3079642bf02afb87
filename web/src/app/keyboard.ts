// What a key press means. Pure; `Shell` does what it says.

export type Place =
  | "/"
  | "/inbox"
  | "/objectives"
  | "/rules"
  | "/actionability"
  | "/report"
  | "/checks"
  | "/errors"
  | "/traces"
  | "/metrics"
  | "/logs"
  | "/explorer"
  | "/sources"
  | "/settings";

export type Command =
  | { do: "search" }
  | { do: "go"; to: Place }
  | { do: "row"; step: 1 | -1 }
  | { do: "next-view" }
  | { do: "act"; key: "a" | "o" }
  | { do: "help" }
  | { do: "await-letter" };

export interface KeyPress {
  key: string;
  /** An input method is putting characters together. */
  composing: boolean;
  modified: boolean;
  /** The focus is in something that takes text. */
  typing: boolean;
}

const PLACES: Record<string, Place> = {
  h: "/",
  i: "/inbox",
  o: "/objectives",
  r: "/rules",
  q: "/actionability",
  a: "/report",
  c: "/checks",
  e: "/errors",
  t: "/traces",
  m: "/metrics",
  l: "/logs",
  x: "/explorer",
  s: "/sources",
  ",": "/settings",
};

export function commandOf(press: KeyPress, afterG: boolean): Command | null {
  if (press.composing || press.modified || press.typing || press.key === "Process") return null;
  if (afterG) {
    const to = PLACES[press.key];
    return to ? { do: "go", to } : null;
  }
  switch (press.key) {
    case "/":
      return { do: "search" };
    case "g":
      return { do: "await-letter" };
    case "j":
      return { do: "row", step: 1 };
    case "k":
      return { do: "row", step: -1 };
    case "v":
      return { do: "next-view" };
    case "a":
    case "o":
      return { do: "act", key: press.key };
    case "?":
      return { do: "help" };
    default:
      return null;
  }
}

/** Moves the focus along the rows of the page, from the focused row or from the first. */
export function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")].filter(
    (row) => row.offsetParent !== null,
  );
  const at = rows.findIndex((row) => row.contains(document.activeElement));
  const next = at === -1 ? rows[0] : rows[Math.min(rows.length - 1, Math.max(0, at + step))];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

/**
 * What a letter does to the row that has the focus, or to the only thing that the page is about. A button is pressed; of
 * several choices the first gets the focus, so that no letter decides between them.
 */
export function actOn(key: "a" | "o"): void {
  const row = document.activeElement?.closest<HTMLElement>("main [data-row]");
  const found = (row ?? document).querySelectorAll<HTMLElement>(`[data-act="${key}"]`);
  const one = row || found.length === 1 ? found[0] : undefined;
  if (one?.matches("button")) one.click();
  else one?.querySelector<HTMLElement>("button")?.focus();
}

/** To the row whose detail is about to be closed: the button that closes it goes away with it, and the focus would too. */
export function focusSelectedRow(): void {
  document.querySelector<HTMLElement>("main [data-row].selected")?.focus();
}

/** Enter on a row is a click on what the row is about. */
export function openRow(event: KeyboardEvent): void {
  if (event.key !== "Enter" || event.isComposing) return;
  const row = event.target instanceof HTMLElement ? event.target : null;
  if (!row?.matches("[data-row]")) return;
  row.querySelector<HTMLElement>("[data-primary]")?.click();
}
