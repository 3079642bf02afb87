import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { LIVENESS, type Because, type Host, type Tried } from "../../api/types";
import { t, useLanguage } from "../../i18n/i18n.svelte";
import { becauseText, becauseTexts, LIVENESS_WORDS, reachedText } from "./because";
import { addressFor, awayOf, followed, hostSkew, named, pastOf, worstFirst } from "./hosts";

const host = (name: string, more: Partial<Host> = {}): Host => ({
  name,
  version: "0.1.0",
  reach: null,
  first_seen: "2026-11-01T00:00:00Z",
  last_seen: "2026-11-01T00:00:00Z",
  liveness: "alive",
  since: "2026-11-01T00:00:00Z",
  reached_by: [],
  reasons: [],
  skew_ms: null,
  checks: 0,
  files: [],
  ...more,
});
const names = (hosts: Host[]): string => hosts.map((each) => each.name).join(" ");
const plain = (text: string): string => text.replaceAll("\u00a0", " ");
/** The names that serde gives to the variants of an enum, and the fields of those that have some. */
const variants = (name: string): string[] => {
  const path = join(import.meta.dirname, "../../../../crates/watch/src/liveness.rs");
  const body = new RegExp(`enum ${name} \\{([^]*?)\\n\\}`).exec(readFileSync(path, "utf8"))?.[1];
  const found = [...(body ?? "").matchAll(/^ {4}([A-Z]\w*)/gm)].map((match) => match[1] ?? "");
  return found.map((each) => each.replace(/\B[A-Z]/g, (letter) => `_${letter}`).toLowerCase());
};

beforeAll(() => void vi.stubGlobal("document", { documentElement: { lang: "" } }));
afterAll(() => vi.unstubAllGlobals());

describe("hosts", () => {
  const all = [
    host("web-10"),
    host("web-2"),
    host("db-1", { liveness: "unknown" }),
    host("cut", { liveness: "network_cut" }),
    host("web-3", { liveness: "host_gone" }),
    host("app", { liveness: "agent_gone" }),
  ];
  it("stand with those that are gone in front, then by name with its numbers", () =>
    expect(names(worstFirst(all))).toBe("web-3 cut app db-1 web-2 web-10"));
  it.each([
    ["", 6],
    ["WEB", 3],
    ["web 3", 1],
    ["nothing", 0],
  ])("with the words %j", (words, want) => expect(named(all, words)).toHaveLength(want));

  it.each([
    ["was not heard since the start", null, null],
    ["is right", 2_000, null],
    ["is ahead", 2_001, { ahead: true, by: 2.001 }],
    ["is behind", -61_000, { ahead: false, by: 61 }],
  ])("whose clock %s", (_, ms, want) => expect(hostSkew(ms)).toEqual(want));

  it("are away unless they are known to be there", () => {
    expect(awayOf(LIVENESS.map((liveness) => host(liveness, { liveness })))).toBe(
      LIVENESS.length - 1,
    );
    expect(awayOf([host("a"), host("b")])).toBe(0);
  });
  it("add up what their log files wait for, and count those that are not followed", () => {
    const file = (problem: string | null, lag_bytes: number): Host["files"][number] => ({
      path: "/a",
      service: "shop",
      problem,
      lag_bytes,
    });
    const files = [file(null, 10), file("permission denied", 0), file(null, 5)];
    expect(followed(files)).toEqual({ all: 3, broken: 1, lagBytes: 15 });
    expect(followed([])).toEqual({ all: 0, broken: 0, lagBytes: 0 });
  });
  it("have a past that their name can't end", () =>
    expect(pastOf(host("a' OR 'b"))["sql"]).toContain("name = 'a'' OR ''b'"));
});

describe("an address of this server", () => {
  it.each([
    ["https://koshu.example", "anywhere"],
    ["https://192.0.2.1:8443", "anywhere"],
    ["http://koshu.example", "nobody"],
    ["http://127.example:4649", "nobody"],
    ["http://192.0.2.1:4649", "nobody"],
    ["http://localhost:4649", "here"],
    ["http://127.0.0.2:4649", "here"],
    ["http://[::1]:4649", "here"],
    ["https://localhost:4649", "here"],
  ])("%s is for agents %s", (origin, want) => expect(addressFor(origin)).toBe(want));
});

const OUTCOMES: Tried[] = ["answered", "refused", "timed_out", "unreachable", "not_tried"];
const ALL: Because[] = [
  { reason: "heard", ago: "40s" },
  { reason: "silent", since: "150m" },
  { reason: "silent", since: null },
  ...OUTCOMES.flatMap((outcome): Because[] => [
    { reason: "probe", kind: "tcp", outcome },
    { reason: "probe", kind: "icmp", outcome },
    { reason: "peer", host: "web-2", outcome },
  ]),
  { reason: "server_has_no_network" },
  { reason: "all_agents_silent", known: 3 },
  { reason: "no_other_witness" },
  { reason: "not_looked_at" },
];

describe("what the server says of a host", () => {
  it("has a word, whichever it is", () =>
    expect([...LIVENESS].sort()).toEqual(variants("Liveness").sort()));
  it("has reasons, each of which is known here", () => {
    expect(new Set(ALL.map((each) => each.reason))).toEqual(new Set(variants("Reason")));
    expect(new Set(OUTCOMES)).toEqual(new Set(variants("Outcome")));
    expect(["tcp", "icmp"]).toEqual(variants("ProbeKind"));
  });
});

describe.each([
  ["en", /^[A-Zw].*\.$/],
  ["ja", /[ぁ-ん].*。$/],
] as const)("reasons in %s", (language, sentence) => {
  beforeAll(() => useLanguage(language));

  it("are sentences, each another one", () => {
    const told = ALL.map(becauseText);
    for (const each of told) expect(each).toMatch(sentence);
    for (const each of told) expect(each).not.toMatch(/[{}]|because-/);
    expect(new Set(told).size).toBe(told.length);
  });
  it("are never missing", () => expect(becauseTexts(host("a"))[0]).toMatch(sentence));
  it("belong to states that differ in words", () => {
    const words = LIVENESS.map((each) => t(LIVENESS_WORDS[each]));
    expect(new Set(words).size).toBe(LIVENESS.length);
    expect(words.filter((word) => word.startsWith("host-"))).toEqual([]);
  });
});

describe("reasons as they are read in English", () => {
  beforeAll(() => useLanguage("en"));

  it.each([
    [{ reason: "heard", ago: "40s" }, "The agent was heard 40 seconds ago."],
    [{ reason: "silent", since: "150m" }, "The agent has been silent for 2.5 hours."],
    [{ reason: "silent", since: "soon" }, "The agent has been silent for soon."],
    [
      { reason: "peer", host: "<b>", outcome: "refused" },
      "<b> was refused by the host, so something is there.",
    ],
    [
      { reason: "probe", kind: "icmp", outcome: "not_tried" },
      "A ping from the server says nothing: it could not be tried, or was not answered before either.",
    ],
  ] as const)("%j", (because, want) => expect(plain(becauseText(because))).toBe(want));
  it("keep the word of a newer server", () =>
    expect(becauseText({ reason: "moon_phase" } as unknown as Because)).toBe("moon_phase"));
  it.each([
    [[], "nobody yet"],
    [["server", "web-2"], "server, web-2"],
    [["server", "a", "b", "c"], "server, a, b and one more"],
    [["server", "a", "b", "c", "d"], "server, a, b and 2 more"],
  ])("reached by %j", (by, want) => expect(reachedText(by)).toBe(want));
});

describe("reasons as they are read in Japanese", () => {
  beforeAll(() => useLanguage("ja"));

  it("have their length in words", () =>
    expect(plain(becauseText({ reason: "silent", since: "40s" }))).toBe(
      "エージェントから 40 秒の間、何も届いていません。",
    ));
  it("name who reached a host", () =>
    expect(plain(reachedText(["server", "a", "b", "c"]))).toBe("サーバー、a、b ほか 1 台"));
});
