// A number and its unit stay on one line, as far as they come from texts or from Intl, which part them by an ordinary
// space: without this a narrow cell breaks "95 %" in two. Pure.

/** Units behind a number, or behind the argument of a text. A longer word that begins like one is none. */
const UNIT =
  /([\d}]) (?=(?:%|[KMGT]iB\b|B\b|ms\b|s\b|min\b|h\b|d\b|(?:second|minute|hour|day|week)s?\b|秒|分|時|日|週|か月|件|人|台|種類|本|回|行|倍|個|つ|か所|文字))/gu;

/**
 * For texts as they are written, before anything is put into them: what was observed is never changed; and for what Intl
 * makes of a number.
 */
export const hold = (text: string): string => text.replaceAll(UNIT, "$1\u00a0");
