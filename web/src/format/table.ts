// A table as text that other programs read: CSV (RFC 4180) and Markdown. Pure.

export type TextCell = string | number | null;

export function toCsv(header: readonly string[], rows: readonly (readonly TextCell[])[]): string {
  return [header, ...rows].map((row) => row.map(csvCell).join(",")).join("\r\n") + "\r\n";
}

function csvCell(value: TextCell): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  // A spreadsheet runs text that begins like a formula; observed text must never be run.
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function toMarkdown(
  header: readonly string[],
  rows: readonly (readonly TextCell[])[],
): string {
  const line = (cells: readonly TextCell[]): string => `| ${cells.map(markdownCell).join(" | ")} |`;
  const numeric = header.map((_, at) => rows.length > 0 && rows.every((row) => isNumeric(row[at])));
  const rule = numeric.map((right) => (right ? "---:" : "---"));
  return [line(header), `| ${rule.join(" | ")} |`, ...rows.map(line)].join("\n") + "\n";
}

const isNumeric = (value: TextCell | undefined): boolean =>
  value === null || typeof value === "number";

function markdownCell(value: TextCell): string {
  if (value === null) return "";
  return String(value)
    .replaceAll("|", "\\|")
    .replaceAll(/\r\n?|\n/g, " ");
}
