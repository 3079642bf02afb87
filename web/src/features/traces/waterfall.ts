// Spans as the rows of a waterfall: in which order, how deep, and where their bars lie. Pure.

import type { Span } from "../../api/types";

export interface Row {
  span: Span;
  depth: number;
  /** It names a parent that is not among the spans: it stands as a root, and that is said. */
  orphan: boolean;
}

export interface Extent {
  /** Microseconds since the first span began. */
  from: number;
  to: number;
}

const byStart = (a: Span, b: Span): number =>
  a.offset_us - b.offset_us || a.span_id.localeCompare(b.span_id);

/**
 * Children stand below their parent in the order in which they began; what has no parent here comes in the same order.
 * Every span is there once, also when spans name each other as parents.
 */
export function rowsOf(spans: readonly Span[]): Row[] {
  const known = new Set(spans.map((span) => span.span_id));
  const children = new Map<string, Span[]>();
  const roots: Span[] = [];
  for (const span of [...spans].sort(byStart)) {
    const parent = span.parent_id;
    if (parent === null || parent === span.span_id || !known.has(parent)) roots.push(span);
    else {
      const siblings = children.get(parent);
      if (siblings) siblings.push(span);
      else children.set(parent, [span]);
    }
  }
  const rows: Row[] = [];
  const done = new Set<Span>();
  const place = (root: Span, orphan: boolean): void => {
    const waiting: Row[] = [{ span: root, depth: 0, orphan }];
    for (let row = waiting.pop(); row; row = waiting.pop()) {
      if (done.has(row.span)) continue;
      done.add(row.span);
      rows.push(row);
      const below = children.get(row.span.span_id) ?? [];
      for (let at = below.length - 1; at >= 0; at -= 1) {
        const span = below[at];
        if (span) waiting.push({ span, depth: row.depth + 1, orphan: false });
      }
    }
  };
  for (const root of roots) place(root, root.parent_id !== null && root.parent_id !== root.span_id);
  // Only spans that name each other in a ring are left.
  for (const span of spans) if (!done.has(span)) place(span, true);
  return rows;
}

const endOf = (span: Span): number => span.offset_us + (span.duration_ms ?? 0) * 1000;

export function extentOf(spans: readonly Span[]): Extent {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const span of spans) {
    from = Math.min(from, span.offset_us);
    to = Math.max(to, endOf(span));
  }
  return from > to ? { from: 0, to: 1 } : { from, to: Math.max(to, from + 1) };
}

export interface Placed {
  /** Per cent of the width. */
  left: number;
  width: number;
  /** Its label would not fit to the right of it. */
  late: boolean;
}

export function placeOf(span: Span, extent: Extent): Placed {
  const length = extent.to - extent.from;
  const left = ((span.offset_us - extent.from) / length) * 100;
  const width = (((span.duration_ms ?? 0) * 1000) / length) * 100;
  return { left, width, late: left + width > 75 };
}

export interface Summary {
  spans: number;
  services: number;
  failed: number;
  orphans: number;
  durationMs: number;
}

export function summaryOf(rows: readonly Row[]): Summary {
  const spans = rows.map((row) => row.span);
  const { from, to } = extentOf(spans);
  return {
    spans: spans.length,
    services: new Set(spans.map((span) => span.service)).size,
    failed: spans.filter((span) => span.status === "error").length,
    orphans: rows.filter((row) => row.orphan).length,
    durationMs: spans.length === 0 ? 0 : (to - from) / 1000,
  };
}

/** A number of milliseconds as people type it ("250", "1.5s", "２秒"); null when it is none. */
export function parseMs(typed: string): number | null {
  const text = typed.normalize("NFKC").trim().toLowerCase();
  const match = /^(\d+(?:\.\d+)?) ?(ms|ミリ秒|s|秒|m|min|分)?$/.exec(text);
  if (!match) return null;
  const unit = match[2] ?? "ms";
  const scale = unit === "s" || unit === "秒" ? 1000 : /^(m|min|分)$/.test(unit) ? 60_000 : 1;
  return Number(match[1]) * scale;
}

/** Trace ids are 32 hex digits; what looks like one opens its trace instead of a search. */
export const isTraceId = (text: string): boolean => /^[0-9a-f]{32}$/i.test(text.trim());
