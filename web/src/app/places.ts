// Where one can go, in the order of the navigation. Pure.

import type { MessageKey } from "../i18n/keys";

export interface Place {
  to: string;
  name: MessageKey;
  /** Has a place of its own in the bar at the foot of a phone, which takes four. */
  inBar: boolean;
  /** Further paths that belong to it. */
  also?: readonly string[];
}

export const PLACES: readonly Place[] = [
  { to: "/", name: "nav-home", inBar: true },
  { to: "/inbox", name: "nav-inbox", inBar: true, also: ["/firings"] },
  {
    to: "/objectives",
    name: "nav-objectives",
    inBar: false,
    also: ["/rules", "/actionability", "/checks", "/channels", "/report"],
  },
  { to: "/errors", name: "nav-errors", inBar: true },
  { to: "/traces", name: "nav-traces", inBar: false },
  { to: "/metrics", name: "nav-metrics", inBar: false },
  { to: "/logs", name: "nav-logs", inBar: true },
  { to: "/explorer", name: "nav-explorer", inBar: false },
  { to: "/sources", name: "nav-sources", inBar: false },
  { to: "/settings", name: "nav-settings", inBar: false },
];

/** Whether a path belongs to a place; nothing but the first page itself belongs to the first page. */
export const isAt = (place: Place, path: string): boolean =>
  path === place.to ||
  (place.to !== "/" && path.startsWith(`${place.to}/`)) ||
  (place.also ?? []).some((each) => path === each || path.startsWith(`${each}/`));

export const placeOf = (path: string): Place | null =>
  PLACES.find((place) => isAt(place, path)) ?? null;
