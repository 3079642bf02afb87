// How the lines of the record list are shown: one line each, wrapped, or as JSON. Pure.

import type { LogRow } from "../../api/types";
import { fieldsOf } from "./record";

export const LINE_VIEWS = ["compact", "wrap", "json"] as const;
export type LineView = (typeof LINE_VIEWS)[number];

/** The view that the URL names; what is not understood is the compact one. */
export const lineViewOf = (text: string | null): LineView =>
  LINE_VIEWS.find((view) => view === text) ?? "compact";

/** How a view stands in the URL: the one that is there anyway needs no words. */
export const lineViewText = (view: LineView): string | null => (view === "compact" ? null : view);

export const nextLineView = (view: LineView): LineView =>
  LINE_VIEWS[(LINE_VIEWS.indexOf(view) + 1) % LINE_VIEWS.length] ?? "compact";

/** Height of a line before it was measured. A compact line always has this height. */
export const LINE_HEIGHT: Record<LineView, number> = { compact: 28, wrap: 72, json: 400 };

/** What stands on the first line of a record already, so that a wrapped one does not repeat it. */
const ON_FIRST_LINE = new Set(["method", "path", "status", "duration"]);

/** The other fields of a record, for its wrapped line. */
export function restOf(row: LogRow): { name: string; value: string }[] {
  return fieldsOf(row)
    .filter(({ name }) => !ON_FIRST_LINE.has(name))
    .map(({ name, value }) => ({ name, value }));
}

export const jsonOf = (row: LogRow): string => JSON.stringify(row, null, 2);
