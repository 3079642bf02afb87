// The filter box: what to offer at the caret, and how a clicked field joins the filter. Pure; the
// grammar itself is the server's.

export interface Completion {
  /** The part of the text which a chosen option replaces. */
  from: number;
  to: number;
  options: string[];
}

export const FILTER_FIELDS = [
  "status",
  "route",
  "method",
  "path",
  "duration",
  "user",
  "service",
  "host",
  "source",
  "bytes",
  "trace",
] as const;

const NUMERIC = new Set(["status", "duration", "bytes"]);
const HINTS: ReadonlyMap<string, string[]> = new Map([
  ["status", ["status>=500", "status>=400", "status:200", "status:404"]],
  ["duration", ["duration>1s", "duration>=250ms", "duration>100ms"]],
  ["bytes", ["bytes>1000000"]],
]);
const MOST = 12;

/** Options for the word at the caret: fields first, then the values that were seen in a field. */
export function complete(
  text: string,
  caret: number,
  known: Readonly<Record<string, readonly string[]>>,
): Completion {
  const from = wordStart(text, caret);
  const word = text.slice(from, caret);
  const sign = /^[-(]+/.exec(word)?.[0] ?? "";
  const bare = word.slice(sign.length);
  const match = /^([\w.-]+)(:|>=|<=|!=|>|<|=)(.*)$/s.exec(bare);
  const options = match
    ? valueOptions(match[1] ?? "", match[2] ?? ":", match[3] ?? "", known)
    : fieldOptions(bare, known);
  const unfinished = options.filter((option) => option !== bare).slice(0, MOST);
  return { from: from + sign.length, to: caret, options: unfinished };
}

function fieldOptions(bare: string, known: Readonly<Record<string, readonly string[]>>): string[] {
  const start = bare.toLowerCase();
  const others = Object.keys(known).filter(
    (name) => !FILTER_FIELDS.some((field) => field === name),
  );
  const fields = [...FILTER_FIELDS, ...others].filter((name) => name.startsWith(start));
  const exact = HINTS.get(start);
  if (exact) return exact;
  return fields.map((name) => (NUMERIC.has(name) ? `${name}>=` : `${name}:`));
}

function valueOptions(
  field: string,
  operator: string,
  typed: string,
  known: Readonly<Record<string, readonly string[]>>,
): string[] {
  const start = typed.replace(/^"/, "").toLowerCase();
  // What is typed may be the name of something that every object has, such as "constructor".
  const values = Object.hasOwn(known, field) ? (known[field] ?? []) : [];
  const seen = values
    .filter((value) => value.toLowerCase().includes(start))
    .map((value) => `${field}${operator}${quoted(value)}`);
  const hints = (HINTS.get(field) ?? []).filter((hint) =>
    hint.startsWith(`${field}${operator}${typed}`),
  );
  return [...new Set([...hints, ...seen])];
}

/** Start of the word that the caret stands in; a quoted value with spaces is one word. */
function wordStart(text: string, caret: number): number {
  let start = 0;
  let quote = false;
  for (let at = 0; at < caret; at += 1) {
    const char = text[at];
    if (char === "\\" && quote) at += 1;
    else if (char === '"') quote = !quote;
    else if (char === " " && !quote) start = at + 1;
  }
  return start;
}

/** Applies an option; the caret stands behind it, ready for the value or for the next term. */
export function applyCompletion(
  text: string,
  completion: Completion,
  option: string,
): { text: string; caret: number } {
  const open = /(:|>=)$/.test(option);
  const rest = text.slice(completion.to);
  const glue = open || rest.startsWith(" ") ? "" : " ";
  const before = text.slice(0, completion.from) + option + glue;
  return { text: before + rest, caret: before.length };
}

export function quoted(value: string): string {
  if (/^[\w./@-]+$/.test(value)) return value;
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"')}"`;
}

export function term(field: string, value: string, exclude = false): string {
  return `${exclude ? "-" : ""}${field}:${quoted(value)}`;
}

/** The requests of a route that failed. */
export const failedOn = (route: string): string => `status>=500 ${term("route", route)}`;

/** Adds a term once; the opposite of a term that is already there replaces it. */
export function withTerm(filter: string, added: string): string {
  const terms = splitTerms(filter);
  if (terms.includes(added)) return filter.trim();
  const opposite = added.startsWith("-") ? added.slice(1) : `-${added}`;
  return [...terms.filter((each) => each !== opposite), added].join(" ");
}

/** A filter with the place at which the server does not understand it; `column` counts characters, from 0. */
export function splitAt(
  filter: string,
  column: number,
): [before: string, at: string, after: string] {
  const characters = [...filter];
  return [
    characters.slice(0, column).join(""),
    characters[column] ?? " ",
    characters.slice(column + 1).join(""),
  ];
}

/** The terms at the top level, as they were written. */
export function splitTerms(filter: string): string[] {
  const terms: string[] = [];
  let start = 0;
  let quote = false;
  let depth = 0;
  for (let at = 0; at <= filter.length; at += 1) {
    const char = filter[at];
    if (char === "\\" && quote) at += 1;
    else if (char === '"') quote = !quote;
    else if (char === "(" && !quote) depth += 1;
    else if (char === ")" && !quote) depth -= 1;
    else if (char === undefined || (char === " " && !quote && depth <= 0)) {
      if (at > start) terms.push(filter.slice(start, at));
      start = at + 1;
    }
  }
  return terms;
}
