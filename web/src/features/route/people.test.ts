import { describe, expect, it } from "vitest";
import type { Disappointed, DisappointedRow } from "../../api/types";
import { peopleOfRoute } from "./people";

const day = (name: string, route: string, users: number, recovered: number): DisappointedRow => ({
  day: name,
  route,
  users,
  recovered,
  still_disappointed: users - recovered,
});
const found = (
  by_route: [string, number][],
  rows: DisappointedRow[] = [],
  unknown_users = 0,
): Disappointed => ({ by_route, rows, unknown_users }) as unknown as Disappointed;
const A = "GET /a";

describe("people whom a route disappointed", () => {
  it.each([
    ["are nobody where nothing failed", found([]), { errors: 0, users: 40 }, { state: "counted", users: 0, of: 40 }],
    ["are those of this route alone", found([["GET /ab", 9], [A, 3]]), { errors: 5, users: 40 }, { users: 3, of: 40 }],
    ["are not counted where its errors name nobody", found([["GET /b", 2]], [], 4), { errors: 4, users: null }, { state: "not-counted", failed: 4 }],
    ["are nobody where only other routes' errors name nobody", found([], [], 4), { errors: 0, users: 7 }, { state: "counted", users: 0 }],
    ["are not counted where its errors are not known and some name nobody", found([], [], 4), null, { state: "not-counted", failed: 4 }],
    ["are of an unknown number where nobody is recognised", found([[A, 3]]), { errors: 5, users: null }, { users: 3, of: null, interval: null }],
    ["are never more than used it", found([[A, 8]]), { errors: 9, users: 7 }, { users: 8, of: 8 }],
  ] as const)("%s", (_, answer, row, want) => expect(peopleOfRoute(answer, A, row)).toMatchObject(want)); // prettier-ignore

  it("are a share with its interval", () => {
    const people = peopleOfRoute(found([[A, 15]]), A, { errors: 20, users: 148 });
    expect(people.state === "counted" && people.interval?.low).toBeCloseTo(0.0624, 4);
    expect(people.state === "counted" && people.interval?.high).toBeCloseTo(0.1605, 4);
  });
  it("are listed by day, the newest first", () => {
    const rows = [
      day("2026-11-24", A, 1, 1),
      day("2026-11-26", "GET /b", 5, 5),
      day("2026-11-26", A, 2, 1),
    ];
    const people = peopleOfRoute(found([[A, 2]], rows), A, { errors: 3, users: 9 });
    expect(people.state === "counted" && people.days.map((each) => each.day)).toEqual([
      "2026-11-26",
      "2026-11-24",
    ]);
  });
});
