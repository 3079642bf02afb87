// Hosts with agents: which are shown, in which order, and what their clocks and log files say. Pure.

import { LIVENESS, type Host, type HostFile } from "../../api/types";
import { isThisMachine } from "../../app/snippets";

/** Reports take a while on their way: below this, clocks are taken for equal. The server does the same. */
const EQUAL_CLOCKS_MS = 2_000;

/** By how much a host's clock is wrong, seconds; `null` while nothing needs to be said. */
export function hostSkew(ms: number | null): { ahead: boolean; by: number } | null {
  if (ms === null || Math.abs(ms) <= EQUAL_CLOCKS_MS) return null;
  return { ahead: ms > 0, by: Math.abs(ms) / 1000 };
}

export interface Followed {
  all: number;
  /** Those that are not followed, for a reason that the file names. */
  broken: number;
  lagBytes: number;
}

export function followed(files: readonly HostFile[]): Followed {
  return {
    all: files.length,
    broken: files.filter((file) => file.problem !== null).length,
    lagBytes: files.reduce((sum, file) => sum + file.lag_bytes, 0),
  };
}

/** How many are not there, or of which nobody can tell. */
export const awayOf = (hosts: readonly Pick<Host, "liveness">[]): number =>
  hosts.filter((host) => host.liveness !== "alive").length;

/** What is believed to be gone in front, then by name. */
export function worstFirst(hosts: readonly Host[]): Host[] {
  const rank = (host: Host): number => LIVENESS.indexOf(host.liveness);
  return [...hosts].sort(
    (a, b) => rank(a) - rank(b) || a.name.localeCompare(b.name, "en", { numeric: true }),
  );
}

/** Those in whose name every word stands. */
export function named(hosts: readonly Host[], words: string): Host[] {
  const wanted = words
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== "");
  return hosts.filter((host) => wanted.every((word) => host.name.toLowerCase().includes(word)));
}

/** What was believed of a host before, and why: the query that shows it. */
export function pastOf(host: Pick<Host, "name">): Record<string, string> {
  const name = host.name.replaceAll("'", "''");
  const sql = `SELECT ts, name, state, attrs FROM events WHERE kind = 'host' AND name = '${name}' ORDER BY ts DESC`;
  return { tab: "sql", sql };
}

/** Who can use an address of this server: agents anywhere, those on its own machine, or none. */
export type AddressFor = "anywhere" | "here" | "nobody";

/** An agent sends its token over TLS, or to its own machine. */
export function addressFor(origin: string): AddressFor {
  if (isThisMachine(origin)) return "here";
  return new URL(origin).protocol === "https:" ? "anywhere" : "nobody";
}
