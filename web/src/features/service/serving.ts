// Which machines serve a service, as far as Koshu can tell: it knows who reads the service's logs where. Pure.

import type { Host, HostFile, Source } from "../../api/types";
import { worstFirst } from "../sources/hosts";

export interface Serving {
  host: Host;
  /** The host's log files of this service, without those of others. */
  files: HostFile[];
}

/** Hosts whose agent follows a log of the service, those that are gone in front. */
export function servingHosts(hosts: readonly Host[], service: string): Serving[] {
  return worstFirst(hosts).flatMap((host) => {
    const files = host.files.filter((file) => file.service === service);
    return files.length === 0 ? [] : [{ host, files }];
  });
}

/**
 * Logs of the service that Koshu reads on its own machine: also that of the demonstration, which runs there. The files of
 * agents begin with the name of their host.
 */
export const ownFiles = (sources: readonly Source[], service: string): number =>
  sources.filter(
    (source) =>
      source.service === service &&
      (source.kind === "demo" || (source.kind === "file" && source.name.startsWith("/"))),
  ).length;

/** Kinds of senders that send to Koshu themselves: they say nothing of the machine they run on. */
const SENDERS: ReadonlySet<Source["kind"]> = new Set([
  "http",
  "otlp",
  "forward",
  "elasticsearch",
  "syslog",
  "loki",
  "prometheus",
  "sentry",
  "statsd",
]);

/** Senders of the service of which no machine is known. */
export const placelessSenders = (sources: readonly Source[], service: string): number =>
  sources.filter((source) => source.service === service && SENDERS.has(source.kind)).length;
