// The columns of the requests table: what they show, sort by and copy. Pure.

import type { RequestSort } from "../../api/endpoints";
import type { Disappointed, RequestRow, Requests } from "../../api/types";

export type Measure = (row: RequestRow) => number | null;

/** The measure behind each order; its share bar shows which rows matter. */
export const MEASURES: Record<RequestSort, Measure> = {
  total: (row) => row.total_ms,
  count: (row) => row.count,
  p95: (row) => row.p95_ms,
  errors: (row) => row.errors,
  users: (row) => row.disappointed,
};

/**
 * The rows with the people whom their route disappointed, as far as that is known already. Where errors name nobody, a
 * route that failed without anybody behind it is not one that disappointed nobody.
 */
export function withPeople(requests: Requests, people: Disappointed | null): Requests {
  const byRoute = new Map(people?.by_route ?? []);
  const nameless = (people?.unknown_users ?? 0) > 0;
  const rows = requests.rows.map((row) => {
    const found = row.disappointed ?? (people === null ? null : (byRoute.get(row.route) ?? 0));
    const unknown = found === 0 && row.errors > 0 && nameless;
    return { ...row, disappointed: unknown ? null : found };
  });
  return { ...requests, rows };
}

/** Largest first; rows without the measure come last, in their old order. */
export function sortRows(rows: readonly RequestRow[], sort: RequestSort): RequestRow[] {
  const measure = MEASURES[sort];
  return [...rows].sort((a, b) => (measure(b) ?? -1) - (measure(a) ?? -1));
}

export function largest(rows: readonly RequestRow[], sort: RequestSort): number {
  return rows.reduce((most, row) => Math.max(most, MEASURES[sort](row) ?? 0), 0);
}

export function findRoutes(rows: readonly RequestRow[], words: string): readonly RequestRow[] {
  const wanted = words.trim().toLowerCase();
  return wanted === "" ? rows : rows.filter((row) => row.route.toLowerCase().includes(wanted));
}
