import { describe, expect, it } from "vitest";
import type { ImportRun, Source } from "../../api/types";
import { followedAs, lastRun, mayImport, otherRuns, pastFiles } from "./past";

const LOG = "/var/log/nginx/access.log";
const run = (id: string, path: string, state: ImportRun["state"] = "done"): ImportRun => ({
  id,
  path,
  service: "shop",
  state,
  bytes_done: 0,
  bytes_total: 0,
  lines: 0,
  parsed: 0,
  rejected: 0,
  already_imported: 0,
  error: null,
});
const older = (...sizes: number[]) =>
  sizes.map((size_bytes, at) => ({ path: `${LOG}.${at + 1}`, size_bytes }));

describe("the past of a log", () => {
  it.each([
    ["is the log and its older files", 10, [20, 30], { files: 3, bytes: 60 }],
    ["is what was rotated away from an empty log", 0, [20], { files: 1, bytes: 20 }],
    ["is nothing where nothing was written", 0, [], { files: 0, bytes: 0 }],
  ])("%s", (_, size_bytes, sizes, want) =>
    expect(pastFiles({ size_bytes, older_files: older(...sizes) })).toEqual(want),
  );

  it.each([
    ["offered when nobody has asked", 10, null, true],
    ["offered again when an import failed", 10, "failed", true],
    ["not asked for twice while an import runs", 10, "running", false],
    ["in once an import is done", 10, "done", false],
    ["nothing to offer where nothing was written", 0, null, false],
  ] as const)("is %s", (_, bytes, state, want) =>
    expect(mayImport({ files: 1, bytes }, state && { state })).toBe(want),
  );

  it("goes as its last import says, and other imports are told apart", () => {
    const runs = [run("a", LOG, "failed"), run("b", "/gone.log"), run("c", LOG, "running")];
    expect(lastRun(runs, LOG)?.id).toBe("c");
    expect(lastRun(runs, "/none.log")).toBeNull();
    expect(otherRuns(runs, [{ path: LOG }]).map((each) => each.id)).toEqual(["b"]);
  });

  it("becomes that of the service that the log is followed for, not of the one that was suggested", () => {
    const file = { path: LOG, service_suggestion: "web" };
    const source = (kind: Source["kind"], name: string, service: string | null) => ({
      kind,
      name,
      service,
    });
    expect(followedAs([source("file", LOG, "shop")], file)).toBe("shop");
    expect(followedAs([source("http", LOG, "other"), source("file", `${LOG}.1`, "x")], file)).toBe(
      "web",
    );
    expect(followedAs([source("file", LOG, null)], file)).toBe("web");
  });
});
