// What became of a host, and why that is believed, in the language of the page.

import type { Because, Host, Liveness } from "../../api/types";
import * as text from "../../app/text";
import { t, type MessageKey } from "../../i18n/i18n.svelte";
import { spanSeconds } from "../watch/objectives";
import { placeText } from "../watch/said";

export const LIVENESS_WORDS: Record<Liveness, MessageKey> = {
  alive: "host-alive",
  host_gone: "host-gone",
  agent_gone: "host-agent-gone",
  network_cut: "host-network-cut",
  server_isolated: "host-server-isolated",
  unknown: "host-unknown",
};

/** As many of those who reached a host are named. */
const NAMED = 3;

function lengthText(span: string): string {
  const seconds = spanSeconds(span);
  return seconds === null ? span : text.length(seconds);
}

/** One reason of a verdict, as a sentence. */
export function becauseText(because: Because): string {
  switch (because.reason) {
    case "heard":
      return t("because-heard", { length: lengthText(because.ago) });
    case "silent":
      return because.since === null
        ? t("because-never")
        : t("because-silent", { length: lengthText(because.since) });
    case "probe":
      return t(because.kind === "tcp" ? "because-tcp" : "because-icmp", {
        outcome: because.outcome,
      });
    case "peer":
      return t("because-peer", { host: because.host, outcome: because.outcome });
    case "server_has_no_network":
      return t("because-server-network");
    case "all_agents_silent":
      return t("because-all-silent", { n: because.known });
    case "no_other_witness":
      return t("because-no-witness");
    case "not_looked_at":
      return t("because-not-looked");
    default:
      // A newer server: its word says more than nothing.
      return (because satisfies never as { reason: string }).reason;
  }
}

/** Why a host is believed to be where it is; never nothing. */
export const becauseTexts = (host: Pick<Host, "reasons">): string[] =>
  host.reasons.length === 0 ? [t("because-early")] : host.reasons.map(becauseText);

/** Who has reached a host while it was there. */
export function reachedText(by: readonly string[]): string {
  if (by.length === 0) return t("host-reached-nobody");
  const names = by.slice(0, NAMED).map(placeText).join(text.comma());
  return by.length > NAMED ? t("host-reached-more", { names, n: by.length - NAMED }) : names;
}
