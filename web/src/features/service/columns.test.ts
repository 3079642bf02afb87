import { expect, test } from "vitest";
import type { Disappointed, RequestRow, Requests } from "../../api/types";
import { sortRows, withPeople } from "./columns";

const row = (route: string, disappointed: number | null): RequestRow =>
  ({ route, disappointed }) as RequestRow;
const requests = (...rows: RequestRow[]): Requests => ({ rows }) as Requests;
const people = { by_route: [["GET /a", 3]] } as unknown as Disappointed;

test("people who were disappointed come from their own answer, and are unknown before it", () => {
  const asked = requests(row("GET /a", null), row("GET /b", null), row("GET /c", 7));
  const counts = (from: Disappointed | null): (number | null)[] =>
    withPeople(asked, from).rows.map((each) => each.disappointed);
  expect(counts(null)).toEqual([null, null, 7]);
  expect(counts(people)).toEqual([3, 0, 7]);
});

test("rows without a measure come last", () => {
  const sorted = sortRows([row("a", null), row("b", 0), row("c", 2)], "users");
  expect(sorted.map((each) => each.route)).toEqual(["c", "b", "a"]);
});
