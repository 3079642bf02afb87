import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Snippet, Source } from "../../api/types";
import { filled, grouped, GROUPS, NOTES, scopeOf, TITLES } from "./connect";
import { REASONS } from "./reasons";
import { found, hasTrouble, recordsOf, skewOf, sorted } from "./senders";

const root = join(import.meta.dirname, "../../../..");
const rust = (path: string): string => readFileSync(join(root, "crates", path), "utf8");

const source = (name: string, more: Partial<Source> = {}): Source => ({
  id: `http:${name}`,
  kind: "http",
  name,
  service: "shop",
  format: null,
  state: "receiving",
  reason: null,
  lines: 0,
  parsed: 0,
  rejected: 0,
  bytes: 0,
  rate_per_s: 0,
  last_seen: null,
  lag_bytes: null,
  clock_skew_s: null,
  rejects: [],
  ...more,
});

describe("a sender's clock", () => {
  it.each([
    ["brings no time", null, null],
    ["is right", 0.2, null],
    ["is a little ahead", 29, null],
    ["is ahead", 30, { ahead: true, by: 30, zone: false }],
    ["looks late because its sender gathers", -119, null],
    ["is behind", -243, { ahead: false, by: 243, zone: false }],
    ["lacks its zone, ahead", 9 * 3600 - 4, { ahead: true, by: 32_400, zone: true }],
    ["lacks its zone, behind", -(5.5 * 3600 + 170), { ahead: false, by: 19_800, zone: true }],
    ["is off by no zone", 9 * 3600 + 200, { ahead: true, by: 32_600, zone: false }],
    ["is half an hour ahead, which is no zone", 1800, { ahead: true, by: 1800, zone: false }],
    ["lies beyond all zones", -15 * 3600, { ahead: false, by: 54_000, zone: false }],
  ])("%s", (_, seconds, want) => expect(skewOf(seconds)).toEqual(want));
});

describe("senders", () => {
  const all = [
    source("b", { rate_per_s: 2, last_seen: "2026-11-01T00:00:00Z", bytes: 5 }),
    source("a", { rate_per_s: 2, last_seen: "2026-11-02T00:00:00Z", rejected: 1 }),
    source("d", { state: "failed", rate_per_s: null, lines: 9 }),
    source("c", { kind: "otlp", service: null, rate_per_s: 7, clock_skew_s: -300 }),
  ];
  const names = (sources: Source[]): string => sources.map((each) => each.name).join("");

  it.each([
    ["name", "dabc"],
    ["rate", "cabd"],
    ["last_seen", "abcd"],
    ["lines", "dabc"],
    ["rejected", "abcd"],
    ["bytes", "bacd"],
  ] as const)("by %s", (by, want) => expect(names(sorted(all, by))).toBe(want));

  it.each([
    ["", "badc"],
    ["SHOP", "bad"],
    ["opentel", "c"],
    ["shop  b", "b"],
    ["nothing", ""],
  ])("with the words %j", (words, want) =>
    expect(names(found(all, words, (each) => (each.kind === "otlp" ? "OpenTelemetry" : "")))).toBe(
      want,
    ),
  );

  it("have trouble when they failed, sent what was rejected, or their clock is off", () =>
    expect(names(all.filter(hasTrouble))).toBe("adc"));
});

describe("the records of a sender", () => {
  it.each([
    ["file", "/var/log/a b.log", ["/explorer", { q: 'source:"/var/log/a b.log"' }]],
    ["loki", "promtail at 192.0.2.1", ["/logs", { service: "shop" }]],
    ["otlp", "web-1", ["/traces", { service: "shop" }]],
    ["sentry", "web-1", ["/errors", { service: "shop" }]],
    ["statsd", "statsd", ["/metrics", { service: "shop" }]],
  ] as const)("of kind %s called %s", (kind, name, want) =>
    expect(recordsOf(source(name, { kind }))).toEqual(want),
  );
  it("of a heartbeat are asked for by a query that its name can't end", () => {
    const [path, query] = recordsOf(source("a' OR 'b", { kind: "heartbeat" }));
    expect([path, query["tab"]]).toEqual(["/explorer", "sql"]);
    expect(query["sql"]).toContain("name = 'a'' OR ''b'");
  });
});

describe("a reason for a rejection", () => {
  it("has a text, whichever the server names", () => {
    const named = ["protocols/src/access/reject.rs", "protocols/src/observed.rs"].flatMap((file) =>
      [...rust(file).matchAll(/Self::\w+ => "(\w+)"/g)].map((match) => match[1] ?? ""),
    );
    const ofAgents = [
      ...rust("server/src/hosts/taking.rs").matchAll(/refused\s*\.\w+\("(\w+)"/g),
    ].map((match) => match[1] ?? "");
    expect(ofAgents.sort()).toEqual(["lost", "sample"]);
    named.push(...ofAgents);
    expect(named.length).toBeGreaterThan(20);
    expect(named.filter((reason) => !(reason in REASONS))).toEqual([]);
  });
});

describe("a snippet", () => {
  const snippet = (more: Partial<Snippet>): Snippet => ({
    key: "curl-lines",
    group: "access",
    language: "sh",
    text: "curl -H 'Authorization: Bearer YOUR_INGEST_TOKEN'",
    listener: "http",
    reach: "here",
    guard: "token",
    ...more,
  });

  it("has a title and a group, whichever the server sends", () => {
    const text = rust("server/src/api/snippets.rs").split("#[cfg(test)]")[0] ?? "";
    const sent = [...text.matchAll(/"([a-z-]+)",\s+"([a-z]+)",\s+"[a-z]+",/g)];
    expect(sent.map((match) => match[1]).sort()).toEqual(Object.keys(TITLES).sort());
    expect(new Set(sent.map((match) => match[2]))).toEqual(new Set(Object.keys(GROUPS)));
    expect(Object.keys(NOTES).filter((key) => !(key in TITLES))).toEqual([]);
  });
  it("takes the token that was made, as it is, wherever one goes", () => {
    const text = "a YOUR_INGEST_TOKEN b YOUR_READ_TOKEN c YOUR_INGEST_TOKEN";
    expect(filled(text, {})).toBe(text);
    expect(filled(text, { ingest: "koshu_$&" })).toBe("a koshu_$& b YOUR_READ_TOKEN c koshu_$&");
    expect(filled(text, { read: "r" })).toBe("a YOUR_INGEST_TOKEN b r c YOUR_INGEST_TOKEN");
  });
  it.each([
    ["of a sender", {}, "ingest"],
    ["while none is needed", { guard: "no_token_yet", text: "curl" }, "ingest"],
    ["of a reader", { text: "YOUR_READ_TOKEN" }, "read"],
    ["for a port", { guard: "port" }, null],
    ["for what is signed", { guard: "signature" }, null],
    ["of a host, which it makes itself", { guard: "own_token" }, null],
    ["for nothing that is sent", { guard: "local" }, null],
  ] as const)("asks for the token %s", (_, more, want) =>
    expect(scopeOf(snippet(more))).toBe(want),
  );
  it("stands in its group, in the server's order", () => {
    const all = [
      snippet({ key: "a", group: "x" }),
      snippet({ key: "b", group: "y" }),
      snippet({ key: "c", group: "x" }),
    ];
    expect(grouped(all).map(([group, of]) => [group, of.map((each) => each.key).join("")])).toEqual(
      [
        ["x", "ac"],
        ["y", "b"],
      ],
    );
  });
});
