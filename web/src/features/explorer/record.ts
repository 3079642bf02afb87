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
      return [{ name, value: String(size), include: `bytes>=${size}`, exclude: `bytes<${size}` }];
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
    value: `${value} ms`,
    include: `duration>=${rounded}ms`,
    exclude: `duration<${rounded}ms`,
  };
}

export interface Facet {
  field: string;
  values: { value: string; count: number }[];
}

const FACETS: [keyof LogRow & string, string][] = [
  ["status", "status"],
  ["method", "method"],
  ["route", "route"],
  ["service", "service"],
  ["host", "host"],
  ["source", "source"],
];

/** The most frequent values of each field among these rows. */
export function facetsOf(rows: readonly LogRow[], most: number): Facet[] {
  return FACETS.flatMap(([key, field]) => {
    const counts = new Map<string, number>();
    for (const row of rows) {
      const value = row[key];
      if (value === null || value === undefined) continue;
      counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
    }
    const values = [...counts].map(([value, count]) => ({ value, count }));
    values.sort((a, b) => b.count - a.count || a.value.localeCompare(b.value));
    return values.length === 0 ? [] : [{ field, values: values.slice(0, most) }];
  });
}

/** Values to offer in the filter box, for each field. */
export function knownValues(
  rows: readonly LogRow[],
  services: readonly string[],
): Record<string, string[]> {
  const known: Record<string, string[]> = {};
  for (const facet of facetsOf(rows, 50))
    known[facet.field] = facet.values.map(({ value }) => value);
  for (const row of rows.slice(0, 100))
    for (const name of Object.keys(row.attrs)) known[name] ??= [];
  known["service"] = [...new Set([...services, ...(known["service"] ?? [])])];
  return known;
}

/** Each record once, in the old order: pages of a moving list may overlap. */
export function uniqueById(rows: readonly LogRow[]): LogRow[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
