// Words for what the server names.

import type { Change } from "../../api/types";
import type { MessageKey } from "../../i18n/i18n.svelte";

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
