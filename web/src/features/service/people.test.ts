import { describe, expect, it } from "vitest";
import { countedOf, peopleOfAll } from "./people";

const service = (users: number, still: number, unknown = 0, by_hour: [number, number][] = []) => ({
  users,
  still_disappointed: still,
  unknown_users: unknown,
  by_hour,
});

describe("people of all services", () => {
  it.each([
    ["nobody where nothing failed", [], { counted: "nobody", users: 0, exact: true }],
    ["exact when one service alone disappointed", [service(0, 0), service(30, 4)], { counted: "people", users: 30, still: 4, exact: true }],
    ["at least those of the worst service, never the sum", [service(30, 4), service(20, 9)], { counted: "people", users: 30, still: 9, exact: false }],
    ["not counted where errors name nobody", [service(0, 0, 5), service(0, 0, 2)], { counted: "not-counted", users: 0, unknown: 7 }],
    ["counted as far as they are known", [service(3, 1, 5)], { counted: "people", users: 3, unknown: 5, exact: true }],
  ] as const)("are %s", (_, services, want) => expect(peopleOfAll([...services])).toMatchObject(want)); // prettier-ignore

  it("stand in an hour as in the service with most of them", () =>
    expect(
      peopleOfAll([
        service(5, 0, 0, [
          [7200, 2],
          [3600, 3],
        ]),
        service(9, 0, 0, [
          [3600, 1],
          [10_800, 8],
        ]),
      ]).byHour,
    ).toEqual([
      [3600, 3],
      [7200, 2],
      [10_800, 8],
    ]));
});

it("errors that name nobody are not nobody's", () => {
  expect(countedOf({ users: 0, unknown_users: 0 })).toBe("nobody");
  expect(countedOf({ users: 0, unknown_users: 1 })).toBe("not-counted");
  expect(countedOf({ users: 2, unknown_users: 1 })).toBe("people");
});
