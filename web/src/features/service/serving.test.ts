import { describe, expect, it } from "vitest";
import type { Host, HostFile, Liveness, Source } from "../../api/types";
import { ownFiles, placelessSenders, servingHosts } from "./serving";

const file = (service: string, path = "/var/log/access.log"): HostFile => ({
  path,
  service,
  problem: null,
  lag_bytes: 0,
});
const host = (name: string, liveness: Liveness, ...files: HostFile[]): Host =>
  ({ name, liveness, files }) as Host;
const source = (kind: Source["kind"], name: string, service: string | null): Source =>
  ({ kind, name, service }) as Source;

const hosts = [
  host("web-10", "alive", file("shop")),
  host("web-2", "alive", file("shop"), file("wiki", "/var/log/wiki.log")),
  host("web-3", "host_gone", file("shop")),
  host("db-1", "alive"),
  host("wiki-1", "unknown", file("wiki")),
];

describe("hosts that serve a service", () => {
  it.each([
    ["shop", "web-3 web-2 web-10"],
    ["wiki", "wiki-1 web-2"],
    ["nobody", ""],
    // A name is no beginning of another one.
    ["sho", ""],
  ])("%s: %j", (service, want) =>
    expect(
      servingHosts(hosts, service)
        .map((each) => each.host.name)
        .join(" "),
    ).toBe(want),
  );
  it("come with the logs of this service alone", () =>
    expect(servingHosts(hosts, "wiki")[1]?.files.map((each) => each.path)).toEqual([
      "/var/log/wiki.log",
    ]));
});

describe("what is not on a host with an agent", () => {
  const sources = [
    source("file", "/var/log/nginx/access.log", "shop"),
    source("file", "web-2:/var/log/nginx/access.log", "shop"),
    source("file", "/var/log/wiki.log", "wiki"),
    source("import", "/var/log/old.log", "shop"),
    source("syslog", "10.0.0.7", "shop"),
    source("otlp", "192.0.2.4", "shop"),
    source("heartbeat", "backup", "shop"),
    source("otlp", "192.0.2.4", null),
    source("demo", "the living demonstration", "demo-shop"),
  ];
  it("is read by Koshu itself", () =>
    expect([ownFiles(sources, "shop"), ownFiles(sources, "demo-shop")]).toEqual([1, 1]));
  it("or comes from senders that name no machine", () =>
    expect([placelessSenders(sources, "shop"), placelessSenders(sources, "wiki")]).toEqual([2, 0]));
});
