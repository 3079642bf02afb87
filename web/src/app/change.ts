// How a change is named, and where one sees what it did.

import type { Change } from "../api/types";
import type { MessageKey } from "../i18n/keys";
import { stretchText } from "../time/range";
import { href } from "./router.svelte";

export const CHANGE_WORDS: Record<Change["kind"], MessageKey> = {
  deploy: "change-deploy",
  config: "change-config",
  image: "change-image",
  schema: "change-schema",
  flag: "change-flag",
  service: "change-service",
  damage: "change-damage",
  limit: "change-limit",
};

/** The hour around a change shows what it did: to its service, or to all of them. */
export function aroundChange({ at, service }: Pick<Change, "at" | "service">): string {
  const ms = Date.parse(at);
  return href(service === null ? "/" : `/services/${encodeURIComponent(service)}`, {
    range: stretchText(ms - 1_800_000, ms + 1_800_000),
  });
}
