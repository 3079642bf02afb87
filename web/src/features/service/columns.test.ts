import { expect, test } from "vitest";
import type { Disappointed, RequestRow, Requests } from "../../api/types";
import { sortRows, withPeople } from "./columns";

const row = (route: string, disappointed: number | null): RequestRow =>
  ({ route, disappointed }) as RequestRow;
const requests = (...rows: RequestRow[]): Requests => ({ rows }) as Requests;
const people = { by_route: [["GET /a", 3]], unknown_users: 0 } as unknown as Disappointed;

test("people who were disappointed come from their own answer, and are unknown before it", () => {
  const asked = requests(row("GET /a", null), row("GET /b", null), row("GET /c", 7));
  const counts = (from: Disappointed | null): (number | null)[] =>
    withPeople(asked, from).rows.map((each) => each.disappointed);
  expect(counts(null)).toEqual([null, null, 7]);
  expect(counts(people)).toEqual([3, 0, 7]);
});

test("a route whose errors name nobody did not disappoint nobody", () => {
  const failed = (route: string, errors: number, disappointed: number | null): RequestRow =>
    ({ route, errors, disappointed }) as RequestRow;
  const asked = requests(
    failed("GET /a", 4, null),
    failed("GET /b", 2, null),
    failed("GET /c", 0, null),
    failed("GET /d", 1, 0),
  );
  const counts = (unknown_users: number): (number | null)[] =>
    withPeople(asked, { ...people, unknown_users }).rows.map((each) => each.disappointed);
  expect(counts(0)).toEqual([3, 0, 0, 0]);
  expect(counts(5)).toEqual([3, null, 0, null]);
});

test("rows without a measure come last", () => {
  const sorted = sortRows([row("a", null), row("b", 0), row("c", 2)], "users");
  expect(sorted.map((each) => each.route)).toEqual(["c", "b", "a"]);
});
