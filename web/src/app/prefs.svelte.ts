// What a person prefers on this browser. Kept in local storage; nothing of it is sent anywhere.

import type { Language } from "../i18n/i18n.svelte";
import { isZone } from "../time/zone";

export type Theme = "auto" | "light" | "dark";
/** "server" is the zone that the server is configured with. */
export type ZoneChoice = "server" | "browser" | "UTC";

const stored = (key: string): string | null => {
  try {
    return localStorage.getItem(`koshu.${key}`);
  } catch {
    return null;
  }
};
const store = (key: string, value: string): void => {
  try {
    localStorage.setItem(`koshu.${key}`, value);
  } catch {
    // Storage can be forbidden: the choice then lasts as long as the page.
  }
};
const oneOf = <T extends string>(value: string | null, allowed: readonly T[]): T | null =>
  allowed.find((each) => each === value) ?? null;

const prefs = $state({
  theme: oneOf<Theme>(stored("theme"), ["auto", "light", "dark"]) ?? "auto",
  zone: oneOf<ZoneChoice>(stored("zone"), ["server", "browser", "UTC"]) ?? "server",
  compare: stored("compare") !== "off",
  serverZone: "UTC",
});

export function initialLanguage(): Language {
  const saved = oneOf<Language>(stored("language"), ["ja", "en"]);
  return saved ?? (navigator.language.toLowerCase().startsWith("ja") ? "ja" : "en");
}
export const saveLanguage = (language: Language): void => store("language", language);

export const theme = (): Theme => prefs.theme;
export function setTheme(next: Theme): void {
  prefs.theme = next;
  store("theme", next);
  if (next === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = next;
}

export const zoneChoice = (): ZoneChoice => prefs.zone;
export function setZoneChoice(next: ZoneChoice): void {
  prefs.zone = next;
  store("zone", next);
}
export function setServerZone(zone: string): void {
  if (isZone(zone)) prefs.serverZone = zone;
}
/** The zone in which every time on the page is shown. */
export function zone(): string {
  if (prefs.zone === "UTC") return "UTC";
  if (prefs.zone === "server") return prefs.serverZone;
  return new Intl.DateTimeFormat().resolvedOptions().timeZone;
}

/** Whether charts show the same weekday of the week before as a pale line. */
export const compare = (): boolean => prefs.compare;
export function setCompare(on: boolean): void {
  prefs.compare = on;
  store("compare", on ? "on" : "off");
}
