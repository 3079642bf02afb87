// How firings are put in order, counted and read. Pure.

import {
  PROGRESS,
  type Firing,
  type FiringList,
  type HistoryEntry,
  type Progress,
} from "../../api/watch";

export const TABS = ["alerts", "tickets"] as const;
export type Tab = (typeof TABS)[number];
export const tabOf = (text: string | null): Tab => (text === "tickets" ? "tickets" : "alerts");

export const ALERT_STATES = ["all", "open", "resolved"] as const;
export const TICKET_STATES = ["todo", "overdue", "done"] as const;
export type Shown = (typeof ALERT_STATES)[number] | (typeof TICKET_STATES)[number];

/** What the address asks for, if the tab knows it. */
export function shownOf(tab: Tab, text: string | null): Shown {
  const known: readonly Shown[] = tab === "alerts" ? ALERT_STATES : TICKET_STATES;
  return known.find((each) => each === text) ?? (tab === "alerts" ? "all" : "todo");
}

export interface Narrowed {
  service: string | null;
  rule: string | null;
}

/** What a call could not narrow down by itself: a rule wins over class and service there, and so on. */
export function belongs(firing: Firing, tab: Tab, shown: Shown, by: Narrowed): boolean {
  if (firing.class !== (tab === "alerts" ? "alert" : "ticket")) return false;
  if (by.rule !== null && firing.rule !== by.rule) return false;
  if (by.service !== null && firing.service !== by.service) return false;
  if (shown === "done") return firing.progress === "done";
  if (shown === "overdue") return firing.overdue;
  if (shown === "todo") return firing.progress !== "done";
  return true;
}

/**
 * The rows that are shown, with those that were read anew. Rows behind them were read before and stay, so that nobody
 * loses the place; when nothing is behind them, what is missing is gone.
 */
export function refreshed(before: readonly Firing[], fresh: FiringList): Firing[] {
  if (fresh.next === null) return [...fresh.firings];
  const known = new Set(fresh.firings.map((each) => each.id));
  const last = fresh.firings.at(-1)?.id;
  const at = before.findIndex((each) => each.id === last);
  // The last row is new here: so many came in front that everything before has moved behind it.
  const tail = at === -1 ? [] : before.slice(at + 1);
  return [...fresh.firings, ...tail.filter((each) => !known.has(each.id))];
}

/** Another page behind the rows that are there. */
export function appended(before: readonly Firing[], more: readonly Firing[]): Firing[] {
  const known = new Set(before.map((each) => each.id));
  return [...before, ...more.filter((each) => !known.has(each.id))];
}

export type QuietWhy = "maintenance" | "silenced" | "inhibited" | "no_channel" | "other";
export interface QuietReason {
  why: QuietWhy;
  reason: string;
  by: string;
  until: string | null;
}

/** Why nobody was told, as the server keeps it. What is not understood is shown as it is. */
export function quietOf(text: string | null): QuietReason | null {
  if (text === null) return null;
  const other: QuietReason = { why: "other", reason: text, by: "", until: null };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return other;
  }
  if (typeof value !== "object" || value === null) return other;
  const field = (name: string): string => {
    const found: unknown = Reflect.get(value, name);
    return typeof found === "string" ? found : "";
  };
  const why = (["maintenance", "silenced", "inhibited", "no_channel"] as const).find(
    (each) => each === field("why"),
  );
  if (!why) return other;
  return { why, reason: field("reason"), by: field("by"), until: field("until") || null };
}

/** A head and a rest, as details of the history are written: `acted: rolled back`. */
export function headAndRest(text: string | null): [string, string] {
  const whole = text ?? "";
  const at = whole.indexOf(": ");
  return at === -1 ? [whole, ""] : [whole.slice(0, at), whole.slice(at + 2)];
}

export const isProgress = (text: string): text is Progress =>
  PROGRESS.some((each) => each === text);

/** The newest first: what happened last is what one comes for. */
export const newestFirst = (history: readonly HistoryEntry[]): HistoryEntry[] =>
  [...history].reverse();

/** A link that a browser may open: pages only, never a script. */
export function safeUrl(text: string): string | null {
  if (!URL.canParse(text)) return null;
  const url = new URL(text);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : null;
}

/** `owner/repo#12` as a page, if it is one. */
export function issueUrl(text: string): string | null {
  const found = /^([\w.-]+)\/([\w.-]+)#(\d+)$/.exec(text);
  return found ? `https://github.com/${found[1]}/${found[2]}/issues/${found[3]}` : null;
}
