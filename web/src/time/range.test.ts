import { describe, expect, it } from "vitest";
import {
  dayWithin,
  momentOf,
  parseRange,
  previousShiftSeconds,
  rangeText,
  shiftSpan,
  spanOf,
  stretchText,
} from "./range";
import { instantOf, startOfDay, wallClock, weekday } from "./zone";

const TOKYO = "Asia/Tokyo";
/** A Sunday: 19:30 in Tokyo. */
const NOW = new Date("2026-11-22T10:30:00Z");

function spanText(typed: string, zone = TOKYO): string | null {
  const range = parseRange(typed, NOW, zone);
  if (!range) return null;
  const { from, to } = spanOf(range, NOW, zone);
  return `${from.toISOString().slice(0, 16)} ${to.toISOString().slice(0, 16)}`;
}

describe("a typed range", () => {
  it.each([
    ["15m", "2026-11-22T10:15 2026-11-22T10:30"],
    ["last 15 min", "2026-11-22T10:15 2026-11-22T10:30"],
    ["24h", "2026-11-21T10:30 2026-11-22T10:30"],
    ["7d", "2026-11-15T10:30 2026-11-22T10:30"],
    ["2w", "2026-11-08T10:30 2026-11-22T10:30"],
    ["15分", "2026-11-22T10:15 2026-11-22T10:30"],
    ["24時間", "2026-11-21T10:30 2026-11-22T10:30"],
    ["過去7日間", "2026-11-15T10:30 2026-11-22T10:30"],
    ["today", "2026-11-21T15:00 2026-11-22T10:30"],
    ["昨日", "2026-11-20T15:00 2026-11-21T15:00"],
    ["Yesterday", "2026-11-20T15:00 2026-11-21T15:00"],
    ["last tuesday", "2026-11-16T15:00 2026-11-17T15:00"],
    ["Last Tuesday", "2026-11-16T15:00 2026-11-17T15:00"],
    ["tuesday last week", "2026-11-09T15:00 2026-11-10T15:00"],
    ["monday this week", "2026-11-15T15:00 2026-11-16T15:00"],
    ["火曜", "2026-11-16T15:00 2026-11-17T15:00"],
    ["前の火曜日", "2026-11-16T15:00 2026-11-17T15:00"],
    ["先週の火曜", "2026-11-09T15:00 2026-11-10T15:00"],
    ["先週の火曜日", "2026-11-09T15:00 2026-11-10T15:00"],
    ["先週火曜", "2026-11-09T15:00 2026-11-10T15:00"],
    ["今週の月曜日", "2026-11-15T15:00 2026-11-16T15:00"],
    ["先々週の日曜日", "2026-11-07T15:00 2026-11-08T15:00"],
    ["おととい", "2026-11-19T15:00 2026-11-20T15:00"],
    ["day before yesterday", "2026-11-19T15:00 2026-11-20T15:00"],
    ["先週", "2026-11-08T15:00 2026-11-15T15:00"],
    ["先月", "2026-09-30T15:00 2026-10-31T15:00"],
    ["last month", "2026-09-30T15:00 2026-10-31T15:00"],
    ["今月", "2026-10-31T15:00 2026-11-22T10:30"],
    ["15 minutes", "2026-11-22T10:15 2026-11-22T10:30"],
    ["past 2 hours", "2026-11-22T08:30 2026-11-22T10:30"],
    ["the last 3 days", "2026-11-19T10:30 2026-11-22T10:30"],
    ["1 week", "2026-11-15T10:30 2026-11-22T10:30"],
    ["１５分", "2026-11-22T10:15 2026-11-22T10:30"],
    ["直近 2 週間", "2026-11-08T10:30 2026-11-22T10:30"],
    ["11月1日", "2026-10-31T15:00 2026-11-01T15:00"],
    ["2026年11月1日", "2026-10-31T15:00 2026-11-01T15:00"],
    ["12/30", "2025-12-29T15:00 2025-12-30T15:00"],
    ["11月1日 9時〜10時半", "2026-11-01T00:00 2026-11-01T01:30"],
    ["11/1 9:00～11/1 10:30", "2026-11-01T00:00 2026-11-01T01:30"],
    ["昨日の9時から10時まで", "2026-11-21T00:00 2026-11-21T01:00"],
    ["yesterday 09:00..10:30", "2026-11-21T00:00 2026-11-21T01:30"],
    ["yesterday 23:00..now", "2026-11-21T14:00 2026-11-22T10:30"],
    ["23:00..01:00", "2026-11-21T14:00 2026-11-21T16:00"],
    ["22:00..23:00", "2026-11-21T13:00 2026-11-21T14:00"],
    ["９：００〜１０：３０", "2026-11-22T00:00 2026-11-22T01:30"],
    ["tue", "2026-11-16T15:00 2026-11-17T15:00"],
    ["sunday", "2026-11-14T15:00 2026-11-15T15:00"],
    ["last week", "2026-11-08T15:00 2026-11-15T15:00"],
    ["this week", "2026-11-15T15:00 2026-11-22T10:30"],
    ["2026-11-01", "2026-10-31T15:00 2026-11-01T15:00"],
    ["2026-11-01..2026-11-02", "2026-10-31T15:00 2026-11-02T15:00"],
    ["2026/11/1〜2026/11/2", "2026-10-31T15:00 2026-11-02T15:00"],
    ["2026-11-01 09:00..2026-11-01 10:30", "2026-11-01T00:00 2026-11-01T01:30"],
    ["2026-11-01T00:00:00Z..2026-11-01T06:00:00Z", "2026-11-01T00:00 2026-11-01T06:00"],
    ["09:00..10:30", "2026-11-22T00:00 2026-11-22T01:30"],
    ["09:00..", "2026-11-22T00:00 2026-11-22T10:30"],
  ])("%s", (typed, want) => expect(spanText(typed)).toBe(want));

  it.each([
    "",
    "soon",
    "0m",
    "99999d",
    "15",
    "2026-13-01",
    "2026-11-32",
    "25:00..26:00",
    "2026-11-02..2026-11-01",
    "2026-11-01T09:00",
    "a..b",
    "1..2..3",
    "last someday",
    "15 parsecs",
    "時間",
    "2026-02-30",
    "2月30日",
    "24時",
    "9:75..10:00",
    "..",
    "now..now",
    "来週",
    "yesterday 10:00",
    "constructor",
    "__proto__ 10:00..now",
  ])("%j is not understood", (typed) => expect(spanText(typed)).toBeNull());

  it("survives the way through the URL, whatever the reader's zone is", () => {
    for (const typed of ["15m", "24h", "today", "yesterday", "2026-11-01..2026-11-02", "tue"]) {
      const range = parseRange(typed, NOW, TOKYO);
      const again = range && parseRange(rangeText(range), NOW, "America/New_York");
      expect(again, typed).toEqual(range);
    }
  });
});

describe("the moment by which a range is read", () => {
  const read = (typed: string, now: Date): string => {
    const range = parseRange(typed, NOW, TOKYO);
    if (!range) throw new Error("not understood");
    const { from, to } = spanOf(range, momentOf(range, now, TOKYO), TOKYO);
    return `${from.toISOString().slice(0, 16)} ${to.toISOString().slice(0, 16)}`;
  };
  const [soon, nextDay] = [new Date("2026-11-22T10:30:10Z"), new Date("2026-11-22T15:00:10Z")];
  it("moves along with what reaches to now", () => {
    expect(read("1m", soon)).toBe("2026-11-22T10:29 2026-11-22T10:30");
    expect(read("today", nextDay)).toBe("2026-11-22T15:00 2026-11-22T15:00");
  });
  it("is that of the day for yesterday: the same all day long, another one the day after", () => {
    const yesterday = parseRange("yesterday", NOW, TOKYO);
    if (!yesterday) throw new Error("not understood");
    expect(read("yesterday", soon)).toBe("2026-11-20T15:00 2026-11-21T15:00");
    expect(momentOf(yesterday, soon, TOKYO)).toEqual(momentOf(yesterday, NOW, TOKYO));
    expect(read("yesterday", nextDay)).toBe("2026-11-21T15:00 2026-11-22T15:00");
  });
  it("never moves what is fixed", () =>
    expect(read("2026-11-01", nextDay)).toBe("2026-10-31T15:00 2026-11-01T15:00"));
});

describe("a day of a longer time", () => {
  const span = { from: new Date("2026-11-21T03:00:00Z"), to: new Date("2026-11-22T10:30:00Z") };
  it.each([
    ["2026-11-20", null],
    ["2026-11-21", "2026-11-21T03:00:00Z..2026-11-21T15:00:00Z"],
    ["2026-11-22", "2026-11-21T15:00:00Z..2026-11-22T10:30:00Z"],
    ["09:00", null],
  ])("%s is as much of it as lies in that time", (day, want) => {
    const found = dayWithin(day, span, TOKYO);
    expect(found && stretchText(found.from.getTime(), found.to.getTime())).toBe(want);
  });
});

describe("the period before", () => {
  it.each([
    ["15m", 7],
    ["24h", 7],
    ["7d", 7],
    ["8d", 14],
    ["30d", 35],
  ])("%s is compared with %i days before, on the same weekday", (typed, days) => {
    const range = parseRange(typed, NOW, TOKYO);
    if (!range) throw new Error("not understood");
    const span = spanOf(range, NOW, TOKYO);
    const shift = previousShiftSeconds(span);
    expect(shift).toBe(days * 86_400);
    expect(shiftSpan(span, shift).to.getTime()).toBeLessThanOrEqual(span.from.getTime());
  });
});

describe("a zone", () => {
  it("has days of 23 and 25 hours where the clock is moved", () => {
    const zone = "Europe/Berlin";
    for (const [day, hours] of [
      ["2026-03-29T10:00:00Z", 23],
      ["2026-10-25T10:00:00Z", 25],
      ["2026-11-22T10:00:00Z", 24],
    ] as const) {
      const at = new Date(day);
      const length = startOfDay(at, zone, 1).getTime() - startOfDay(at, zone).getTime();
      expect(length / 3_600_000, day).toBe(hours);
    }
  });
  it("turns a wall clock into an instant and back", () => {
    for (const zone of ["UTC", TOKYO, "America/New_York", "Asia/Kathmandu"]) {
      const wall = wallClock(NOW, zone);
      expect(instantOf(wall, zone).getTime(), zone).toBe(NOW.getTime());
    }
  });
  it("knows the weekday where the reader is", () => {
    expect(weekday(new Date("2026-11-21T16:00:00Z"), TOKYO)).toBe(0);
    expect(weekday(new Date("2026-11-21T16:00:00Z"), "UTC")).toBe(6);
  });
});
