import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { useLanguage } from "../../i18n/i18n.svelte";
import * as said from "./said";

const plain = (text: string): string => text.replaceAll("\u00a0", " ");
const day = 1_440;

beforeAll(() => void vi.stubGlobal("document", { documentElement: { lang: "" } }));
afterAll(() => vi.unstubAllGlobals());

describe("numbers of the watch in English", () => {
  beforeAll(() => useLanguage("en"));

  it.each([
    [
      "a fresh start, never 0 %",
      { minutes: 30 * day, seen: 12 },
      "watched for 12 minutes of 30 days",
    ],
    ["some days", { minutes: 30 * day, seen: 5 * day }, "watched for 5 days of 30 days"],
    ["nothing", { minutes: 30 * day, seen: 0 }, "nothing of 30 days"],
    ["most, rounded down", { minutes: 1_000, seen: 999 }, "99.9 %, 1.0 min not seen"],
    ["all", { minutes: 5, seen: 5 }, "all"],
    ["no time at all", { minutes: 0, seen: 0 }, "–"],
  ])("time seen: %s", (_, sum, want) => expect(plain(said.seenText(sum))).toBe(want));

  it.each([
    [185.2, 20, "latency.p95 of service shop above 20ms", "measured 185 ms, limit 20 ms"],
    [9, 0.001, "traffic above 0.001/s", "measured 9 per second, limit 0.001 per second"],
    [0.0013, 0.001, "errors.ratio above 0.1%", "measured 0.13 %, limit 0.1 %"],
    [-47.8, 0.2, "budget.left of service shop below 20%", "measured −4,780 %, limit 20 %"],
    [14.4, null, "fast of shop burning its budget (target 99 %)", "measured 14.4×"],
    [9.5, 14, "check.tls_days of check buy below 14", "measured 9.5 d, limit 14.0 d"],
    [1, 5, "disappointed above 5", "measured one person, limit 5 people"],
    [12, 10, "errors.count above 10", "measured 12, limit 10"],
  ])("%s and %s of %s", (value, limit, condition, want) =>
    expect(plain(said.measuredText(value, limit, condition))).toBe(want),
  );
  it("have no unit on the axis of a chart, whose title has it", () => {
    expect(said.amountPlain(0.05, "errors.ratio above 1%")).toBe("5");
    expect(said.amountPlain(50.6, "traffic above 1/s")).toBe("50.6");
    expect(said.amountPlain(null, "errors.ratio above 1%")).toBe("–");
  });
  it.each([
    ["30d", "30 days"],
    ["month", "a calendar month"],
    ["fortnight", "fortnight"],
  ])("a window of %s", (spec, want) => expect(plain(said.windowText(spec))).toBe(want));
});

describe("what is wrong with a check", () => {
  it.each([
    ["en", "The agent that should run it sent nothing.", "server"],
    ["ja", "実行するはずのエージェントから何も届いていません。", "サーバー"],
  ] as const)("in %s", async (language, nobody, server) => {
    await useLanguage(language);
    expect(said.whyText({ code: "no_runner", text: "expected a run from tokyo" })).toBe(nobody);
    expect(said.whyText({ code: "timeout", text: "no answer in 5s" })).toBe("no answer in 5s");
    expect([said.placeText("server"), said.placeText("tokyo")]).toEqual([server, "tokyo"]);
  });
});

describe("numbers of the watch in Japanese", () => {
  beforeAll(() => useLanguage("ja"));

  it("say for how long something was seen", () =>
    expect(plain(said.seenText({ minutes: 30 * day, seen: 12 }))).toBe("30 日のうち 12 分"));
  it("have their unit", () =>
    expect(plain(said.measuredText(9, 1, "traffic above 1/s"))).toBe(
      "測定値 毎秒 9／しきい値 毎秒 1",
    ));
});
