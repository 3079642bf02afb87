// The past of a found log: what of it is there, whose it would become, and how its import goes. Pure.

import type { Discovered, ImportRun, Source } from "../../api/types";

export interface Past {
  files: number;
  /** On disk: packed files hold more. */
  bytes: number;
}

/** The log as it is now and what was rotated away from it. */
export function pastFiles(file: Pick<Discovered, "size_bytes" | "older_files">): Past {
  const sizes = [file.size_bytes, ...file.older_files.map((each) => each.size_bytes)];
  const there = sizes.filter((bytes) => bytes > 0);
  return { files: there.length, bytes: there.reduce((sum, bytes) => sum + bytes, 0) };
}

/** The last import of a log. The server tells of those that run and of those of the last hour. */
export const lastRun = (imports: readonly ImportRun[], path: string): ImportRun | null =>
  imports.findLast((run) => run.path === path) ?? null;

/** Imports of logs that are not listed any more: those of the others stand beside their logs. */
export const otherRuns = (
  imports: readonly ImportRun[],
  files: readonly Pick<Discovered, "path">[],
): ImportRun[] => imports.filter((run) => !files.some((file) => file.path === run.path));

/** Whose requests a followed log has: the configuration may say another service than the search suggests. */
export const followedAs = (
  sources: readonly Pick<Source, "kind" | "name" | "service">[],
  file: Pick<Discovered, "path" | "service_suggestion">,
): string =>
  sources.find((each) => each.kind === "file" && each.name === file.path)?.service ??
  file.service_suggestion;

/**
 * Whether to offer the import of a followed log's past. What of it is stored already only an import finds out, and passes
 * over; after one that got through, and while one runs, there is nothing to ask for.
 */
export const mayImport = (past: Past, run: Pick<ImportRun, "state"> | null): boolean =>
  past.bytes > 0 && (run === null || run.state === "failed");
