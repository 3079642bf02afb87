import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it, vi } from "vitest";
import type { Detects } from "../../api/watch";
import { useLanguage } from "../../i18n/i18n.svelte";
import { detectsText, exactLength } from "./detects";

vi.stubGlobal("document", { documentElement: { lang: "" } });
const plain = (text: string): string => text.replaceAll("\u00a0", " ");
const limit = (more: Partial<Extract<Detects, { kind: "limit" }>>): Detects => ({
  kind: "limit",
  signal: "latency.p95",
  of: [{ kind: "route", name: "POST /checkout" }],
  side: "above",
  limit: 800,
  written: "800ms",
  hold: "5m",
  window: "5m",
  ...more,
});

const CASES: [detects: Detects, en: string, ja: string][] = [
  [
    limit({}),
    "latency.p95 of POST /checkout above 800ms for 5 minutes",
    "POST /checkout の latency.p95 が 5 分続けて 800ms を超える",
  ],
  [
    limit({
      signal: "budget.left",
      of: [
        { kind: "service", name: "shop" },
        { kind: "objective", name: "fast" },
      ],
      side: "below",
      limit: 0.2,
      written: "20%",
      hold: null,
    }),
    "budget.left of service shop, objective fast below 20%",
    "サービス shop、目標 fast の budget.left が 20% を下回る",
  ],
  [
    limit({ signal: null, of: [{ kind: "host", name: null }], written: "1000", hold: null }),
    "the query's value of each host above 1000",
    "各ホストのクエリの値が 1000 を超える",
  ],
  [
    limit({
      signal: "heartbeat.age",
      of: [{ kind: "heartbeat", name: "nightly" }],
      limit: 93_600,
      written: "26h",
      hold: null,
    }),
    "heartbeat.age of heartbeat nightly above 26 hours",
    "ハートビート nightly の heartbeat.age が 26 時間を超える",
  ],
  [
    { kind: "burn", objective: "available", service: "shop", target_percent: 99.9 },
    "available of shop burning its budget too fast (target 99.9 %)",
    "shop の目標 available（99.9 %）の予算の消費が速すぎる",
  ],
  [
    { kind: "no_data", signal: "saturation.disk", of: [], after: "10m" },
    "no data: saturation.disk for 10 minutes",
    "saturation.disk のデータが 10 分以上ない",
  ],
];

describe.each(["en", "ja"] as const)("what a rule detects, in %s", (language) => {
  beforeAll(() => useLanguage(language));
  it.each(CASES)("%j", (detects, en, ja) =>
    expect(plain(detectsText({ condition: "?", detects }))).toBe(language === "en" ? en : ja),
  );
  it("is the server's sentence where its parts are not known", () => {
    const condition = "latency.p95 above 800ms";
    expect(detectsText({ condition, detects: null })).toBe(condition);
    const newer = { kind: "forecast" } as unknown as Detects;
    expect(detectsText({ condition, detects: newer })).toBe(condition);
  });
});

describe("a length that somebody set", () => {
  it.each([
    [125, "125 seconds"],
    [60, "1 minute"],
    [5_400, "90 minutes"],
    [93_600, "26 hours"],
    [259_200, "3 days"],
    [0.5, "0.5 seconds"],
  ])("%s s reads %s", (seconds, want) => expect(plain(exactLength(seconds, "en"))).toBe(want));
});

describe("the parts", () => {
  beforeAll(() => useLanguage("ja"));
  // The server's side of the same names: a kind that it adds must not show as a key.
  it("are those that the server knows", () => {
    const rust = readFileSync(
      join(import.meta.dirname, "../../../../crates/watch/src/detects.rs"),
      "utf8",
    );
    const [, body = ""] = /pub enum PartKind \{([^}]*)\}/.exec(rust) ?? [];
    const kinds = [...body.matchAll(/^ {4}([A-Z]\w*),/gm)].map((match) =>
      (match[1] ?? "").replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase(),
    );
    expect(kinds.length).toBeGreaterThan(7);
    for (const kind of kinds) {
      const of = [{ kind, name: null }] as Extract<Detects, { kind: "limit" }>["of"];
      expect(detectsText({ condition: "?", detects: limit({ of }) }), kind).toContain("各");
    }
  });
});
