import { expect, it } from "vitest";
import { partsOf, severityOf, toneOf } from "./pattern";

it.each([
  ["order <n> paid", ["order ", "<n>!", " paid"]],
  ["<time> <*>", ["<time>!", " ", "<*>!"]],
  ["注文<n>番", ["注文", "<n>!", "番"]],
  ["<b>bold</b> <nn>", ["<b>bold</b> <nn>"]],
  ["", []],
])("%s is split into what varies and what does not", (pattern, want) => {
  expect(partsOf(pattern).map((part) => part.text + (part.varies ? "!" : ""))).toEqual(want);
});

it("severities are known words with a tone", () => {
  expect(severityOf("warn")).toBe("warn");
  expect(severityOf("loud")).toBe(null);
  expect([null, "info", "warn", "fatal"].map(toneOf)).toEqual(["calm", "calm", "warn", "bad"]);
});
