// A record as fields that can join the filter. Pure.

import type { LogRow } from "../../api/types";
import { term } from "./filter";

export interface Field {
  name: string;
  value: string;
  /** What a click adds to the filter, and what leaves such records out; null where it makes no sense. */
  include: string | null;
  exclude: string | null;
}

/** Field of the record, and its name in the filter. */
const FIELDS: [keyof LogRow & string, string][] = [
  ["service", "service"],
  ["host", "host"],
  ["method", "method"],
  ["route", "route"],
  ["path", "path"],
  ["status", "status"],
  ["duration_ms", "duration"],
  ["bytes", "bytes"],
  ["user_key", "user"],
  ["trace_id", "trace"],
  ["source", "source"],
];

export function fieldsOf(row: LogRow): Field[] {
  const known = FIELDS.flatMap(([key, name]): Field[] => {
    const value = row[key];
    if (value === null || value === undefined || typeof value === "object") return [];
    if (name === "duration") return [durationField(Number(value))];
    if (name === "bytes") {
      const size = Number(value);
      return [{ name, value: `${size} B`, include: `bytes>=${size}`, exclude: `bytes<${size}` }];
    }
    return [textField(name, String(value))];
  });
  const extra = Object.entries(row.attrs).map(([name, value]) =>
    textField(name, typeof value === "string" ? value : JSON.stringify(value)),
  );
  return [...known, ...extra];
}

function textField(name: string, value: string): Field {
  if (!/^[\w.-]+$/.test(name)) return { name, value, include: null, exclude: null };
  return { name, value, include: term(name, value), exclude: term(name, value, true) };
}

/** Nobody looks for exactly 1,043 ms: a click asks for as slow or slower. */
function durationField(value: number): Field {
  const rounded = value >= 100 ? Math.floor(value) : Math.floor(value * 10) / 10;
  return {
    name: "duration",
    value: `${value}\u00a0ms`,
    include: `duration>=${rounded}ms`,
    exclude: `duration<${rounded}ms`,
  };
}

/** Fields whose values are offered in the filter box; their names are those of the filter. */
const OFFERED = ["status", "method", "route", "service", "host", "source"] as const;

/** The values of a field among these rows, the commonest first. */
function seenValues(rows: readonly LogRow[], field: (typeof OFFERED)[number]): string[] {
  const counts = new Map<string, number>();
  for (const row of rows) {
    const value = row[field];
    if (value !== null) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  }
  return [...counts].sort((a, b) => b[1] - a[1]).map(([value]) => value);
}

/** Values to offer in the filter box, for each field. */
export function knownValues(
  rows: readonly LogRow[],
  services: readonly string[],
): Record<string, string[]> {
  const known: Record<string, string[]> = {};
  for (const field of OFFERED) {
    const seen = seenValues(rows, field);
    if (seen.length > 0) known[field] = seen.slice(0, 50);
  }
  for (const row of rows.slice(0, 100))
    for (const name of Object.keys(row.attrs)) if (!Object.hasOwn(known, name)) known[name] = [];
  known["service"] = [...new Set([...services, ...(known["service"] ?? [])])];
  return known;
}

/** Each record once, in the old order: pages of a moving list may overlap. */
export function uniqueById(rows: readonly LogRow[]): LogRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
