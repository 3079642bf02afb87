// What a mark says in words, and where it leads.

import { aroundChange, CHANGE_WORDS } from "../app/change";
import { href } from "../app/router.svelte";
import * as text from "../app/text";
import { t } from "../i18n/i18n.svelte";
import type { Mark, MarkGroup } from "./marks";

/** Within one minute it is that minute. */
function spanText(from: string, to: string): string {
  const at = text.dayTime(from);
  return at === text.dayTime(to) ? at : text.spanText(new Date(from), new Date(to));
}

export function markText(mark: Mark): string {
  switch (mark.kind) {
    case "alert":
    case "ticket": {
      const rule = mark.title;
      if (mark.ended === null)
        return t(mark.kind === "alert" ? "mark-alert-open" : "mark-ticket-open", {
          rule,
          at: text.dayTime(mark.at),
        });
      return t(mark.kind === "alert" ? "mark-alert" : "mark-ticket", {
        rule,
        span: spanText(mark.at, mark.ended),
      });
    }
    case "unread":
      return t("mark-unread", { at: text.dayTime(mark.at) });
    default:
      return t("mark-change", {
        kind: t(CHANGE_WORDS[mark.kind]),
        title: mark.title,
        at: text.dayTime(mark.at),
      });
  }
}

export function markLink(mark: Mark): string {
  switch (mark.kind) {
    case "alert":
    case "ticket":
      return href(`/firings/${encodeURIComponent(mark.id)}`);
    case "unread":
      return href("/inbox");
    default:
      return aroundChange(mark);
  }
}

export function groupText({ lane, marks }: Pick<MarkGroup, "lane" | "marks">): string {
  const [first, last] = [marks[0], marks.at(-1)];
  if (!first || !last) return "";
  if (marks.length === 1) return markText(first);
  return t(lane === "firings" ? "marks-firings" : "marks-changes", {
    n: marks.length,
    span: spanText(first.at, last.at),
  });
}
