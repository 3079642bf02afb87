import { describe, expect, it } from "vitest";
import { hold } from "./hold";
import * as number from "./number";
import { toCsv, toMarkdown } from "./table";
import {
  formatAgo,
  formatCalendarDay,
  formatDay,
  formatSpan,
  formatTick,
  formatTime,
} from "./when";

/** Numbers hold together with their units: the tests are read without the special spaces. */
const plain = (text: string | null): string | null =>
  text === null ? null : text.replaceAll("\u00a0", " ").replaceAll("\u2060", "");

describe("numbers", () => {
  it.each([
    [null, "–"],
    [0, "0 ms"],
    [0.042, "0.04 ms"],
    [4.1, "4.1 ms"],
    [42.4, "42 ms"],
    [999, "999 ms"],
    [999.6, "1.00 s"],
    [1_840, "1.84 s"],
    [18_400, "18.4 s"],
    [90_000, "1.5 min"],
  ])("%s milliseconds read %s", (value, want) =>
    expect(plain(number.formatMs(value, "en"))).toBe(want),
  );

  it.each([
    [5, "5.0 s"],
    [59, "59 s"],
    [90, "1.5 min"],
    [3_000, "50 min"],
    [31_320, "8.7 h"],
    [400_000, "4.6 d"],
  ])("%s seconds read %s", (value, want) =>
    expect(plain(number.formatDuration(value, "en"))).toBe(want),
  );

  it.each([
    [0, "en", "0 seconds"],
    [119, "en", "119 seconds"],
    [243, "en", "4 minutes"],
    [5_400, "en", "90 minutes"],
    [19_800, "en", "5.5 hours"],
    [172_800, "en", "2 days"],
    [243, "ja", "4 分"],
    [32_400, "ja", "9 時間"],
  ])("%s seconds are, in words in %s, %s", (seconds, language, want) =>
    expect(plain(number.formatLength(seconds, language))).toBe(want),
  );

  it.each([
    [100, 100, "100.0 %"],
    [99_996, 100_000, "99.996 %"],
    [999_996, 1_000_000, "99.999 %"],
    [1, 3, "33.33 %"],
    [2, 3, "66.66 %"],
    [98_999, 100_000, "98.99 %"],
    [98_996, 100_000, "98.99 %"],
    [29, 100, "29.0 %"],
    [2 ** 53 - 2, 2 ** 53 - 1, "99.999 %"],
    [0, 5, "0.0 %"],
  ])("%s good of %s are never rounded up: %s", (good, total, want) =>
    expect(plain(number.formatGoodShare(good, total, "en"))).toBe(want),
  );
  it.each([
    [null, "–"],
    [1, "100 %"],
    [0.996, "99 %"],
    [0.4975, "49 %"],
    [0.29, "29 %"],
    [0.0996, "9.9 %"],
    [0.0199, "1.9 %"],
    [0, "0 %"],
  ])("a share of %s of what is done is never rounded up: %s", (ratio, want) =>
    expect(plain(number.formatShareDown(ratio, "en"))).toBe(want),
  );
  it.each([
    [null, "–"],
    [0.999, "99.9 %"],
    [0.001295, "0.13 %"],
    [0.95, "95 %"],
    [0, "0 %"],
  ])("a limit of %s keeps its digits: %s", (ratio, want) =>
    expect(plain(number.formatPerCent(ratio, "en"))).toBe(want),
  );
  it.each([
    [null, "–"],
    [1, "100 %"],
    [0.9999, "99.9 %"],
    [0.61, "61 %"],
    [0.829, "82.9 %"],
    [0, "0 %"],
    [-0.0001, "−0.1 %"],
    [-0.2, "−20 %"],
    [-1.234, "−124 %"],
    [-51.73, "−5,173 %"],
  ])("what is left of a budget, %s, never looks better: %s", (ratio, want) =>
    expect(plain(number.formatLeft(ratio, "en"))).toBe(want),
  );
  it.each([
    [1.2, "1.2"],
    [1.001, "1.01"],
    [59.91, "60"],
    [12.31, "12.4"],
    [1_234.1, "1,235"],
  ])("%s times as much as allowed never looks less: %s", (times, want) =>
    expect(number.formatTimes(times, "en")).toBe(want),
  );
  it("has no negative zero", () => {
    expect(plain(number.formatDuration(-0, "en"))).toBe("0 s");
    expect(number.formatPlain(-0, "ja")).toBe("0");
    expect(number.formatPlain(-0.5, "ja")).toBe("-0.5");
  });

  it("says nothing about no traffic", () => {
    expect(plain(number.formatGoodShare(0, 0, "en"))).toBeNull();
  });

  it.each([
    [null, "–"],
    [0, "0 %"],
    [0.000_001, "< 0.001 %"],
    [0.000_45, "0.045 %"],
    [0.0044, "0.44 %"],
    [0.004_41, "0.45 %"],
    [0.1234, "12.4 %"],
  ])("a bad ratio of %s never looks better: %s", (ratio, want) =>
    expect(plain(number.formatBadRatio(ratio, "en"))).toBe(want),
  );

  it.each([
    [0, 0.000_004, "< 0.001 %"],
    [0.000_42, 0.000_47, "0.042–0.047 %"],
    [0.0018, 0.0024, "0.18–0.24 %"],
    [0.151, 0.203, "15.1–20.3 %"],
    [null, null, "–"],
  ])("an interval from %s to %s reads %s", (low, high, want) =>
    expect(plain(number.formatInterval(low, high, "en"))).toBe(want),
  );

  it.each([
    [110, 100, "+10 %"],
    [90, 100, "−10 %"],
    [100.2, 100, "±0 %"],
    [2_000, 100, "×20"],
    [100, 0, null],
    [100, null, null],
  ])("%s after %s is a change of %s", (now, before, want) =>
    expect(plain(number.formatChange(now, before, "en"))).toBe(want),
  );

  it.each([
    [0, "0 B"],
    [1_536, "1.5 KiB"],
    [107_374_182_400, "100 GiB"],
    [null, "–"],
  ])("%s bytes read %s", (value, want) =>
    expect(plain(number.formatBytes(value, "en"))).toBe(want),
  );

  it.each([
    [null, "–"],
    [0, "0"],
    [0.1234, "0.123"],
    [4_000, "4,000"],
    [1_843.7, "1,840"],
  ])("%s without its unit reads %s", (value, want) =>
    expect(number.formatPlain(value, "en")).toBe(want),
  );
  it("follow the language", () => {
    expect(plain(number.formatDuration(31_320, "ja"))).toBe("8.7 時間");
    expect(plain(number.formatCount(1_234_567, "ja"))).toBe("1,234,567");
    expect(plain(number.formatCount(1_234_567, "de"))).toBe("1.234.567");
  });
});

describe("a number and its unit", () => {
  it.each([
    ["95 % interval", "95_% interval"],
    ["target { $target } % over { $window }", "target { $target }_% over { $window }"],
    ["Burn 1 h, at most { $s } s, 1 MiB.", "Burn 1_h, at most { $s }_s, 1_MiB."],
    ["Last { $n } minutes of 30 days", "Last { $n }_minutes of 30_days"],
    ["直近 { $n } 日間：{ $users } 人、5 種類", "直近 { $n }_日間：{ $users }_人、5_種類"],
    ["{ $n } hosts, { $n } sources, { $n } minutely", "{ $n } hosts, { $n } sources, { $n } minutely"],
    ["{ $route } だけで、{ $name } の", "{ $route } だけで、{ $name } の"],
    ["{ $n ->\n    [one] one day\n   *[other] { $n } days\n}", "{ $n ->\n    [one] one day\n   *[other] { $n }_days\n}"],
  ])("hold together in a text, and nothing else does: %j", (text, want) => expect(hold(text)).toBe(want.replaceAll("_", "\u00a0"))); // prettier-ignore

  it.each([
    [number.formatLength(243, "en"), "4_minutes"],
    [number.formatLength(243, "ja"), "4_分"],
    [number.inWords(43.21, "minute", "en", { maximumSignificantDigits: 3 }), "43.2_minutes"],
    [number.formatMs(42, "en"), "42_ms"],
    [number.formatDuration(90, "ja"), "1.5_分"],
    [number.formatPerCent(0.95, "en"), "95_%"],
    [number.formatInterval(0.0018, 0.0024, "en"), "0.18\u2060–\u20600.24_%"],
    [number.formatBytes(1_536, "en"), "1.5_KiB"],
    [formatAgo(new Date(0), new Date(720_000), "en"), "12_minutes ago"],
    [formatAgo(new Date(0), new Date(720_000), "ja"), "12_分前"],
  ])("hold together in what is formatted: %s", (text, want) =>
    expect(text).toBe(want.replaceAll("_", "\u00a0")),
  );
});

describe("times", () => {
  const at = new Date("2026-11-22T10:30:00Z");
  it("are shown in the chosen zone", () => {
    expect(formatTime(at, "en", "Asia/Tokyo")).toBe("19:30");
    expect(formatTime(at, "ja", "UTC")).toBe("10:30");
  });
  it.each([
    ["2026-11-22T10:30:00Z", 1_800, "19:30"],
    ["2026-11-22T10:30:05Z", 5, "19:30:05"],
    ["2026-11-21T15:00:00Z", 43_200, "Sun, Nov 22"],
    ["2026-11-22T03:00:00Z", 43_200, "12:00"],
    ["2026-11-22T03:00:00Z", 86_400, "Sun, Nov 22"],
  ])("of an axis are as exact as its steps: %s every %s s", (tick, step, want) =>
    expect(formatTick(new Date(tick), step, "en", "Asia/Tokyo")).toBe(want),
  );
  it("of the calendar are the same day in every zone, also where noon in UTC is tomorrow", () => {
    expect(formatDay(new Date("2026-11-23T12:00:00Z"), "en", "Pacific/Auckland")).toBe(
      "Tue, Nov 24",
    );
    expect(formatCalendarDay("2026-11-23", "en")).toBe("Mon, Nov 23");
    expect(formatCalendarDay("2026-11-23", "ja")).toBe("11月23日(月)");
  });
  it("name both ends of a span", () => {
    const to = new Date("2026-11-22T12:00:00Z");
    expect(formatSpan(at, to, "en", "Asia/Tokyo")).toMatch(/Nov 22.*19:30.*21:00/);
    // As a moment by itself is written, and not 11/22 19時30分.
    expect(formatSpan(at, to, "ja", "Asia/Tokyo")).toBe("11月22日 19:30〜21:00");
    const later = new Date(at.getTime() + 86_400_000);
    expect(formatSpan(at, later, "ja", "Asia/Tokyo")).toBe("11月22日 19:30〜11月23日 19:30");
  });
  it.each([
    [-4_000, "4 seconds ago"],
    [-180_000, "3 minutes ago"],
    [-90_000_000, "25 hours ago"],
    [-864_000_000, "10 days ago"],
  ])("%s ms from now is %s", (ms, want) =>
    expect(plain(formatAgo(new Date(at.getTime() + ms), at, "en"))).toBe(want),
  );
});

describe("a copied table", () => {
  const header = ["route", "count"];
  it("is CSV that a spreadsheet reads but never runs", () => {
    const rows = [
      ['GET /a"b,c', 1],
      ["=HYPERLINK(1)", null],
      ["two\nlines", -3],
    ];
    expect(toCsv(header, rows)).toBe(
      'route,count\r\n"GET /a""b,c",1\r\n\'=HYPERLINK(1),\r\n"two\nlines",-3\r\n',
    );
  });
  it("is Markdown with numbers to the right and bars escaped", () => {
    expect(toMarkdown(header, [["GET /a|b\rc", 1]])).toBe(
      "| route | count |\n| --- | ---: |\n| GET /a\\|b c | 1 |\n",
    );
  });
});
