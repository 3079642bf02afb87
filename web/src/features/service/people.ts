// People who were disappointed, said so that it is true: the same person is never counted twice, and whom nobody
// recognises is not counted as nobody. Pure.

import type { OverviewDisappointed } from "../../api/types";

export type Counted = "nobody" | "not-counted" | "people";

/** Errors without anybody behind them were seen by somebody: then there is no number, and no zero either. */
export function countedOf(found: { users: number; unknown_users: number }): Counted {
  if (found.users > 0) return "people";
  return found.unknown_users > 0 ? "not-counted" : "nobody";
}

export interface PeopleOfAll {
  counted: Counted;
  /** People who saw an error; when not `exact`, at least so many. */
  users: number;
  /** Of them, those whose next try failed too or never came; when not `exact`, at least so many. */
  still: number;
  /** At most one service disappointed anybody, so that nobody can stand in two numbers. */
  exact: boolean;
  /** Failed requests that no person is known for. Requests are different ones in each service: they add up. */
  unknown: number;
  /** By start of the hour: as `users`. */
  byHour: [number, number][];
}

/**
 * Of all services together. Somebody may have been disappointed by several of them, and who it was is not compared across
 * services: people are never added up. What is true is that there were at least as many as in any one of them.
 */
export function peopleOfAll(
  services: readonly Pick<
    OverviewDisappointed,
    "users" | "still_disappointed" | "unknown_users" | "by_hour"
  >[],
): PeopleOfAll {
  const most = (pick: (row: (typeof services)[number]) => number): number =>
    services.reduce((high, row) => Math.max(high, pick(row)), 0);
  const unknown = services.reduce((all, row) => all + row.unknown_users, 0);
  const users = most((row) => row.users);
  const hours = new Map<number, number>();
  for (const row of services)
    for (const [at, n] of row.by_hour) hours.set(at, Math.max(hours.get(at) ?? 0, n));
  return {
    counted: countedOf({ users, unknown_users: unknown }),
    users,
    still: most((row) => row.still_disappointed),
    exact: services.filter((row) => row.users > 0).length <= 1,
    unknown,
    byHour: [...hours].sort((a, b) => a[0] - b[0]),
  };
}
