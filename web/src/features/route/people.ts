// Whom a route disappointed, as far as anybody can be recognised. Pure.

import type { Disappointed, DisappointedRow, RequestRow } from "../../api/types";
import { wilson } from "../../app/ratio";

export type RoutePeople =
  /** Requests failed and nobody is known who made them: there is no number, and no zero either. */
  | { state: "not-counted"; failed: number }
  | {
      state: "counted";
      /** People who saw an error here. */
      users: number;
      /** People who used the route, about: it is estimated from a sketch. Null: not known. */
      of: number | null;
      /** Of `of` with 95 % confidence. */
      interval: { low: number; high: number } | null;
      /** Day by day, the newest first. Somebody may stand in several days: days are never added up. */
      days: DisappointedRow[];
    };

/** `row` is the route in the table of requests of the same time; null when it is not in there. */
export function peopleOfRoute(
  found: Disappointed,
  route: string,
  row: Pick<RequestRow, "errors" | "users"> | null,
): RoutePeople {
  const users = found.by_route.find(([name]) => name === route)?.[1] ?? 0;
  const failed = row?.errors ?? found.unknown_users;
  if (users === 0 && failed > 0) return { state: "not-counted", failed };
  // An estimate may come out below what was counted.
  const used = row?.users ?? null;
  const of = used === null ? null : Math.max(used, users);
  return {
    state: "counted",
    users,
    of,
    interval: of === null ? null : wilson(users, of),
    days: found.rows
      .filter((each) => each.route === route)
      .sort((a, b) => b.day.localeCompare(a.day)),
  };
}
