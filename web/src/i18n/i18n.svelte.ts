// Texts in the chosen language. Only the chosen language is loaded. A text that is missing shows
// its key, so that the gap is seen and never hidden; a test keeps the languages equal.

import { FluentBundle, FluentResource, type FluentVariable } from "@fluent/bundle";
import { hold } from "../format/hold";
import type { MessageKey } from "./keys";

export type Language = "ja" | "en";
export type Args = Record<string, FluentVariable>;
export type { MessageKey };

const load: Record<Language, () => Promise<{ default: string }>> = {
  ja: () => import("../../../locales/ja/web.ftl?raw"),
  en: () => import("../../../locales/en/web.ftl?raw"),
};

const state = $state<{ language: Language }>({ language: "en" });
let bundle = new FluentBundle("en");
/** The language that was asked for last: texts of another one may come later than its own. */
let wanted: Language = "en";

export async function useLanguage(language: Language): Promise<void> {
  wanted = language;
  const source = (await load[language]()).default;
  if (wanted !== language) return;
  const next = new FluentBundle(language, { useIsolating: false });
  next.addResource(new FluentResource(hold(source)));
  bundle = next;
  state.language = language;
  document.documentElement.lang = language;
}

export const language = (): Language => state.language;

export function t(key: MessageKey, args: Args = {}): string {
  void state.language; // texts follow the language wherever they are shown
  const message = bundle.getMessage(key);
  if (!message?.value) return key;
  return bundle.formatPattern(message.value, args, []);
}

export interface Piece {
  tag: string | null;
  text: string;
}

/** A text with `<name>…</name>` parts. Arguments never become parts: what was observed is text. */
export function pieces(key: MessageKey, args: Args = {}): Piece[] {
  const safe: Args = {};
  for (const [name, value] of Object.entries(args)) {
    safe[name] = typeof value === "string" ? value.replaceAll("<", "\uE000") : value;
  }
  return splitPieces(t(key, safe));
}

export function splitPieces(text: string): Piece[] {
  const found: Piece[] = [];
  const add = (tag: string | null, part: string): void => {
    if (part !== "") found.push({ tag, text: part.replaceAll("\uE000", "<") });
  };
  let at = 0;
  for (const match of text.matchAll(/<(\w+)>(.*?)<\/\1>/gs)) {
    add(null, text.slice(at, match.index));
    add(match[1] ?? null, match[2] ?? "");
    at = match.index + match[0].length;
  }
  add(null, text.slice(at));
  return found;
}
