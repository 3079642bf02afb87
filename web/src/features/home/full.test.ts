import { describe, expect, it } from "vitest";
import { isNear, soonestOf } from "./full";

const row = (used_ratio: number, full_in_days: number | null) => ({ used_ratio, full_in_days });

describe("what is near full", () => {
  it.each([
    ["nothing: little is used, and it lasts", row(0.5, 400), false],
    ["nothing: how long it lasts is not known", row(0.79, null), false],
    ["what is used to four fifths", row(0.8, null), true],
    ["what is full within the month", row(0.3, 29), true],
    ["what is full at once", row(0.3, 0), true],
  ])("%s", (_, one, want) => expect(isNear(one, soonestOf([one]))).toBe(want));
  it("is named by what will be full first", () => {
    const [late, soon, unknown] = [row(0.9, 40), row(0.2, 3), row(0.99, null)];
    expect(soonestOf([late, soon, unknown])).toBe(soon);
    expect(soonestOf([unknown])).toBeNull();
  });
});
