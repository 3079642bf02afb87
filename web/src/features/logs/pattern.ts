// A pattern as parts: what is the same in all its lines, and placeholders. Pure.

export interface Part {
  text: string;
  varies: boolean;
}

/** The placeholders that the server writes. */
const PLACEHOLDER = /(<(?:time|id|ip|email|hex|n|\*|\.\.\.)>)/;

export function partsOf(pattern: string): Part[] {
  return pattern
    .split(PLACEHOLDER)
    .filter((text) => text !== "")
    .map((text) => ({ text, varies: PLACEHOLDER.test(text) }));
}

export const SEVERITIES = ["trace", "debug", "info", "warn", "error", "fatal"] as const;
export type Severity = (typeof SEVERITIES)[number];

export const severityOf = (text: string | null): Severity | null =>
  SEVERITIES.find((each) => each === text) ?? null;

/** How loudly a line is shown. */
export function toneOf(severity: string | null): "calm" | "warn" | "bad" {
  if (severity === "warn") return "warn";
  return severity === "error" || severity === "fatal" ? "bad" : "calm";
}
