// What the watch says of itself and of the service it watches: the monthly report, what came of each rule's firings, the
// change that makes an alert a ticket, what rules would have said of the past, and rules to begin with. See types.ts for
// how times and `null` are meant.

import { address, get, getText, post } from "./client";
import type { FiringClass, Outcome } from "./watch";

/** A share with the counts it is made of and its 95 % interval. */
export interface Proportion {
  of: number;
  all: number;
  share: number;
  low: number;
  high: number;
}

/** An `all` of 0: nothing is known. */
export interface Part {
  good: number;
  all: number;
}

export interface Figures {
  /** Minutes. */
  time: Part;
  unknown_minutes: number;
  requests: Part;
  /** Of the good ones. */
  requests_interval: Proportion | null;
  /** Microseconds that people spent. */
  users: Part;
}

/** The worst stretch of one length. */
export interface WorstWindow {
  length_s: number;
  from: string;
  /** Of the time that people spent in it, the share that was good. */
  share: number;
  requests: number;
}

export interface IncompleteDay {
  /** `2026-11-01`, in the zone of the month. */
  day: string;
  /** Requests that were counted when they came. */
  counted: number;
  /** Of these, those that can still be read. */
  stored: number;
}

export interface MonthReport {
  service: string;
  /** `2026-11`. */
  month: string;
  time_zone: string;
  from: string;
  to: string;
  is_over: boolean;
  until: string;
  objective: string | null;
  /** The condition of a good request. */
  good: string;
  target_percent: number | null;
  allowed_s: number | null;
  with_maintenance: Figures;
  without_maintenance: Figures;
  maintenance_minutes: number;
  /** Users who could be told apart. Null: they were not counted, which is not nobody. */
  user_count: number | null;
  /** Of these, who met an error. Null as above. */
  disappointed: number | null;
  /** Of which not all requests are stored any more, in order. */
  incomplete_days: IncompleteDay[];
  worst: WorstWindow[];
  /** How long somebody may be silent and still counts as being there. */
  cut_off_s: number;
  /** The share of good requests that makes a minute good. */
  good_minute: number;
  partial: string | null;
}

export interface ReportQuestion {
  service: string | null;
  month: string | null;
  objective: string | null;
  /** The server's own zone when missing, so that everybody sees the same month. */
  time_zone: string | null;
}

export const readReport = (question: ReportQuestion, signal: AbortSignal): Promise<MonthReport> =>
  get<MonthReport>(
    "/report/month",
    { ...question },
    ["with_maintenance", "without_maintenance", "incomplete_days", "worst", "until"],
    signal,
  );
export const readReportText = (
  question: ReportQuestion,
  format: "markdown" | "csv",
  language: string,
): Promise<string> => getText("/report/month", { ...question, format, language });
export const reportAddress = (
  question: ReportQuestion,
  format: "markdown" | "csv",
  language: string,
): string => address("/report/month", { ...question, format, language });

/** What came of a rule's firings in a stretch of time. */
export interface TrackRecord {
  firings: number;
  told: number;
  outcomes: Record<Outcome, number>;
  undecided: number;
  /** Null while nobody has judged any of them. */
  precision: Proportion | null;
  median_acknowledge_s: number | null;
  flaps: number;
  off_hours: number;
  noise_minutes: number;
}

export interface JudgedRule {
  rule: string;
  class: FiringClass;
  configured: boolean;
  record: TrackRecord;
  /** Even the upper end of the interval lies below a half. */
  demote: boolean;
}

export interface PersonWeek {
  person: string;
  /** Its Monday, `2026-11-23`. */
  week: string;
  pages: number;
  off_hours: number;
  over_budget: boolean;
}

export interface Actionability {
  from: string;
  to: string;
  time_zone: string;
  working_hours: { from: number; to: number };
  page_budget: { per_week: number; off_hours: number };
  rules: JudgedRule[];
  people: PersonWeek[];
}

/** The last 30 days without a span: the same numbers wherever a rule is judged. */
export const readActionability = (
  span: { from: Date; to: Date } | null,
  signal: AbortSignal,
): Promise<Actionability> =>
  get<Actionability>(
    "/actionability",
    span === null ? {} : { from: span.from.toISOString(), to: span.to.toISOString() },
    ["rules", "people", "page_budget", "working_hours"],
    signal,
  );

export interface DemotionProposal {
  rule: string;
  file: string;
  diff: string;
  record: TrackRecord;
  replay: {
    from: string;
    to: string;
    alerts_before: number;
    alerts_after: number;
    alerts_fewer: number;
    incidents: number;
    missed: number;
  } | null;
}

export const readDemotion = (rule: string, signal: AbortSignal): Promise<DemotionProposal> =>
  get<DemotionProposal>(
    `/rules/${encodeURIComponent(rule)}/demotion`,
    {},
    ["diff", "file", "record"],
    signal,
  );

export type RuleClass = FiringClass | "record";

export interface ReplayedFiring {
  rule: string;
  class: RuleClass;
  service: string | null;
  series: Record<string, string>;
  from: string;
  /** Null: it went on at the end of the time that was replayed. */
  to: string | null;
  value: number | null;
}

export interface ReplayResult {
  from: string;
  to: string;
  /** Behind `to` when the time for it was over before. */
  asked_to: string;
  step_s: number;
  alerts: number;
  tickets: number;
  records: number;
  firings: ReplayedFiring[];
  /** Firings beyond those that are listed. */
  more: number;
  not_replayed: { rule: string; why: string }[];
}

export const replayRules = (
  span: { from: Date; to: Date },
  signal: AbortSignal,
): Promise<ReplayResult> =>
  post<ReplayResult>(
    "/rules/replay",
    { from: span.from.toISOString(), to: span.to.toISOString() },
    ["firings", "not_replayed", "to", "asked_to"],
    signal,
  );

export interface StarterProposal {
  from: string;
  to: string;
  /** Null when there were no requests to learn from. */
  yaml: string | null;
  reasons: string[];
  /** What it would have said over the past it was made from. */
  replay?: { from: string; to: string; alerts: number; tickets: number; records: number } | null;
  accept?: { possible: true; file: string } | { possible: false; why: string };
}

const starterOf = (service: string, rest = ""): string =>
  `/services/${encodeURIComponent(service)}/starter${rest}`;
export const readStarter = (
  service: string,
  language: string,
  owner: string | null,
  signal: AbortSignal,
): Promise<StarterProposal> =>
  get<StarterProposal>(starterOf(service), { language, owner }, ["yaml", "reasons"], signal);
export const acceptStarter = (
  service: string,
  language: string,
  owner: string | null,
): Promise<{ file: string }> =>
  post<{ file: string }>(
    starterOf(service, "/accept"),
    owner === null ? { language } : { language, owner },
    ["file"],
  );
