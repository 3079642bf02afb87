// What a rule detects, in the language of the page. The server's English sentence stands where the parts are not known.

import type { Detects, Measured, MeasuredPart } from "../../api/watch";
import { inWords } from "../../format/number";
import { language, t, type MessageKey } from "../../i18n/i18n.svelte";
import { spanSeconds } from "./objectives";
import { amount } from "./said";
import { unitOf } from "./signal";

const ONE: Record<MeasuredPart["kind"], MessageKey> = {
  route: "of-route",
  service: "of-service",
  host: "of-host",
  check: "of-check",
  error_group: "of-error-group",
  heartbeat: "of-heartbeat",
  process: "of-process",
  objective: "of-objective",
};
const EACH: Record<MeasuredPart["kind"], MessageKey> = {
  route: "of-each-route",
  service: "of-each-service",
  host: "of-each-host",
  check: "of-each-check",
  error_group: "of-each-error-group",
  heartbeat: "of-each-heartbeat",
  process: "of-each-process",
  objective: "of-each-objective",
};

/** A text as particles follow it: Japanese puts a space behind what is written in Latin letters. */
const ended = (text: string): string =>
  language() === "ja" && /[\u0021-\u007e]$/.test(text) ? `${text} ` : text;

const LENGTHS = [
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
  ["second", 1],
] as const;
/** A length of time, never rounded: it is a limit that somebody set. */
export function exactLength(seconds: number, language: string): string {
  const [unit, size] = LENGTHS.find(([, size]) => seconds % size === 0) ?? LENGTHS[3];
  return inWords(seconds / size, unit, language, { maximumFractionDigits: 6 });
}
function spanText(span: string): string {
  const seconds = spanSeconds(span);
  return seconds === null ? span : exactLength(seconds, language());
}

/** As it was written, but for amounts whose unit is not written, or is a length of time. */
function limitText(signal: string | null, limit: number, written: string): string {
  const unit = unitOf(signal ?? "");
  if (unit === "seconds") return exactLength(limit, language());
  return unit === "days" || unit === "people" || unit === "burn"
    ? amount(limit, signal ?? "")
    : written;
}

function measuredText({ signal, of }: Measured): string {
  const parts = of.map(({ kind, name }) =>
    name === null ? t(EACH[kind]) : t(ONE[kind], { name }),
  );
  const all = ended(parts.join(language() === "ja" ? "、" : ", "));
  if (parts.length === 0) return signal ?? t("detects-query");
  return signal === null
    ? t("detects-query-of", { of: all })
    : t("detects-of", { signal, of: all });
}

function sentence(detects: Detects): string | null {
  switch (detects.kind) {
    case "limit": {
      const what = ended(measuredText(detects));
      const limit = ended(limitText(detects.signal, detects.limit, detects.written));
      const above = detects.side === "above";
      if (detects.hold === null)
        return t(above ? "detects-above" : "detects-below", { what, limit });
      const hold = ended(spanText(detects.hold));
      return t(above ? "detects-above-for" : "detects-below-for", { what, limit, hold });
    }
    case "burn":
      return t("detects-burn", {
        objective: detects.objective,
        service: ended(detects.service),
        target: String(detects.target_percent),
      });
    case "no_data":
      return t("detects-no-data", {
        what: ended(measuredText(detects)),
        after: ended(spanText(detects.after)),
      });
    default:
      // A newer server may know more kinds.
      return null;
  }
}

/** What a rule detects, or what a firing was about. */
export const detectsText = ({
  condition,
  detects,
}: {
  condition: string;
  detects: Detects | null;
}): string => (detects === null ? null : sentence(detects)) ?? condition;
