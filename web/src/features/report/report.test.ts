import { describe, expect, it } from "vitest";
import type { Figures, WorstWindow } from "../../api/quality";
import * as report from "./report";

const plain = (text: string): string =>
  text.replaceAll("\u00a0", " ").replaceAll("\u2060", "").replaceAll("\u202f", " ");

describe("a month", () => {
  it.each([
    ["2026-11", true],
    ["2026-13", false],
    ["2026-00", false],
    ["26-11", false],
    ["2026-11-01", false],
    [null, false],
  ])("%j is one: %s", (text, want) => expect(report.isMonth(text)).toBe(want));
  it("is the one of the zone's calendar", () => {
    const at = new Date("2026-10-31T20:00:00Z");
    expect(report.monthOf(at, "UTC")).toBe("2026-10");
    expect(report.monthOf(at, "Asia/Tokyo")).toBe("2026-11");
  });
  it.each([
    ["2026-11", -1, "2026-10"],
    ["2026-01", -1, "2025-12"],
    ["2025-12", 1, "2026-01"],
    ["2026-11", 2, "2027-01"],
    ["2026-11", -23, "2024-12"],
  ])("%s, %s months further, is %s", (month, by, want) =>
    expect(report.shiftMonth(month, by)).toBe(want),
  );
  it("is offered with those before it, and so is an older one that is looked at", () => {
    expect(report.monthsUntil("2026-02", 3, "2026-02")).toEqual(["2026-02", "2026-01", "2025-12"]);
    expect(report.monthsUntil("2026-02", 2, "2024-05")).toEqual(["2026-02", "2026-01", "2024-05"]);
  });
  it("has its name in the language of the page", () => {
    expect(report.monthName("2026-11", "en")).toBe("November 2026");
    expect(report.monthName("2026-11", "ja")).toBe("2026年11月");
  });
});

describe("a figure of availability", () => {
  it.each([
    ["nothing was seen", 0, 0, null],
    ["all good", 10, 10, 100],
    ["rounded down", 2, 3, 66.666],
    ["one in a million", 999_999, 1_000_000, 99.999],
    ["one microsecond of a century", 3_155_760_000_000_000 - 1, 3_155_760_000_000_000, 99.999],
    ["none good", 0, 4, 0],
    ["exactly the target", 99_900, 100_000, 99.9],
  ])("%s: %s of %s", (_, good, all, want) => expect(report.goodPercent({ good, all })).toBe(want));
  it("is written with three digits, or as a dash", () => {
    expect(plain(report.formatPercent(99.9, "en"))).toBe("99.900 %");
    expect(plain(report.formatPercent(null, "en"))).toBe("–");
  });
  it.each([
    [0.9991, 0.999_999_9, "99.910–99.999 %"],
    [0.93, 1, "93.000–100.000 %"],
  ])("has an interval from %s to %s: %s", (low, high, want) =>
    expect(plain(report.formatBounds(low, high, "en"))).toBe(want),
  );
  it("of a window is not rounded up either", () => {
    expect(report.sharePercent(0.999_999_9)).toBe(99.999);
    expect(report.sharePercent(0.93)).toBe(93);
    expect(report.sharePercent(1)).toBe(100);
  });
});

describe("people", () => {
  it.each([
    ["some were counted", 10, 3, { disappointed: 3, all: 10 }],
    ["none of them met an error", 10, 0, { disappointed: 0, all: 10 }],
    ["they were not counted", null, null, null],
    ["an older server counted none", 0, 0, null],
  ])("%s", (_, user_count, disappointed, want) =>
    expect(report.peopleOf({ user_count, disappointed })).toEqual(want),
  );
});

describe("days that are not known whole", () => {
  const days = (...names: string[]) => names.map((day) => ({ day, counted: 10, stored: 0 }));
  it.each([
    ["one", "en", ["2026-11-07"], "November 7"],
    ["in a row", "en", ["2026-11-01", "2026-11-02", "2026-11-03"], "November 1 – 3"],
    ["apart", "en", ["2026-11-01", "2026-11-02", "2026-11-07"], "November 1 – 2 and November 7"],
    ["apart, too", "ja", ["2026-11-01", "2026-11-02", "2026-11-07"], "11月1日〜11月2日、11月7日"],
  ])("%s, in %s", (_, language, names, want) =>
    expect(plain(report.formatDays(days(...names), language)).replaceAll("\u2009", " ")).toBe(want),
  );
});

describe("allowed downtime", () => {
  it.each([
    [518.4, "en", "8.64 minutes"],
    [535.68, "en", "8.93 minutes"],
    [2_592, "en", "43.2 minutes"],
    [25_920, "en", "432 minutes"],
    [518.4, "ja", "8.64 分"],
  ])("of %s s reads, in %s, %s", (seconds, language, want) =>
    expect(plain(report.formatMinutes(seconds, language))).toBe(want),
  );
});

describe("the verdict on a target", () => {
  it.each([
    ["kept to, and all was seen", 999, 1_000, 0, "met"],
    ["kept to as far as was seen", 999, 1_000, 3, "met_as_seen"],
    ["missed, whatever was not seen", 998, 1_000, 3, "missed"],
    ["nothing was seen", 0, 0, 43_200, "unknown"],
  ])("%s", (_, good, all, unknown, want) =>
    expect(report.verdictOf({ good, all }, 99.9, unknown)).toBe(want),
  );
});

describe("the figures of a month", () => {
  const figures = (all: number): Figures => ({
    time: { good: 0, all },
    unknown_minutes: 0,
    requests: { good: 0, all: 0 },
    requests_interval: null,
    users: { good: 0, all: 0 },
  });
  it("are empty when nothing is known by any definition", () => {
    expect(report.isEmpty(figures(0))).toBe(true);
    expect(report.isEmpty(figures(1))).toBe(false);
    expect(report.badMinutes(figures(3))).toBe(3);
  });
  it("lead to the time around a bad stretch", () => {
    expect(report.aroundRange("2026-11-03T10:00:00Z", 300)).toBe(
      "2026-11-03T09:55:00Z..2026-11-03T10:10:00Z",
    );
    expect(report.aroundRange("2026-11-03T10:00:00Z", 86_400)).toBe(
      "2026-11-03T04:00:00Z..2026-11-04T16:00:00Z",
    );
  });
  it("name a stretch once when a longer one holds no more", () => {
    const of = (length_s: number, requests: number, share: number): WorstWindow => ({
      length_s,
      from: "2026-11-03T10:00:00Z",
      share,
      requests,
    });
    const worst = [of(300, 50, 0.9), of(3_600, 120, 0.95), of(86_400, 120, 0.95)];
    expect(report.distinctWorst(worst)).toEqual(worst.slice(0, 2));
    const apart = [of(300, 120, 0.9), of(3_600, 120, 0.95)];
    expect(report.distinctWorst(apart)).toEqual(apart);
    expect(report.distinctWorst([])).toEqual([]);
  });
  it("are saved under a name that says which they are", () =>
    expect(report.fileName({ service: "shop", month: "2026-11" })).toBe(
      "availability-shop-2026-11.csv",
    ));
});
