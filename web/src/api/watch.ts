// What the watch sends and takes: firings, objectives, rules, channels, silences, checks. Apart from the other calls,
// so that the first page does not carry it. See types.ts for how times, points and `null` are meant.

import { get, post, remove } from "./client";
import type { Change } from "./types";

export type FiringClass = "alert" | "ticket";
export type FiringState = "open" | "resolved";
export const OUTCOMES = [
  "acted",
  "healed",
  "resolved_by_itself",
  "duplicate",
  "no_action_needed",
] as const;
export type Outcome = (typeof OUTCOMES)[number];
export const PROGRESS = ["open", "in_progress", "done"] as const;
export type Progress = (typeof PROGRESS)[number];

/** Something that a signal is measured of. Null: each of them by itself. */
export interface MeasuredPart {
  kind:
    "route" | "service" | "host" | "check" | "error_group" | "heartbeat" | "process" | "objective";
  name: string | null;
}
export interface Measured {
  /** Null for the value of a query. */
  signal: string | null;
  /** The narrowest first. */
  of: MeasuredPart[];
}
/** What a rule detects, in parts; `condition` beside it is the same as an English sentence. Lengths of time as `5m`. */
export type Detects =
  | (Measured & {
      kind: "limit";
      side: "above" | "below";
      /** In the unit of the signal. */
      limit: number;
      /** As it stands in the configuration: `800ms`. */
      written: string;
      /** Null: it fires at once. */
      hold: string | null;
      window: string;
    })
  | { kind: "burn"; objective: string; service: string; target_percent: number }
  | (Measured & { kind: "no_data"; after: string });

export interface Firing {
  id: string;
  rule: string;
  class: FiringClass;
  service: string | null;
  condition: string;
  /** Null when the rule is another one by now, or is no more. */
  detects: Detects | null;
  state: FiringState;
  started_at: string;
  changed_at: string;
  resolved_at: string | null;
  /** How often it fired: more than once for a ticket whose condition came back. */
  times: number;
  /** In the unit of the rule's signal, as is the threshold. */
  value: number | null;
  threshold: number | null;
  told: boolean;
  /** JSON: `{why, reason, by, until}`. */
  quiet_reason: string | null;
  escalation_level: number;
  escalate_at: string | null;
  acknowledged_at: string | null;
  acknowledged_by: string | null;
  owner: string | null;
  due_at: string | null;
  progress: Progress | null;
  done_at: string | null;
  done_by: string | null;
  notes: number;
  outcome: Outcome | null;
  outcome_why: string | null;
  outcome_by: string | null;
  outcome_at: string | null;
  labels: Record<string, string>;
  overdue: boolean;
}

export interface FiringList {
  firings: Firing[];
  next: string | null;
}

export type HistoryKind =
  | "fired"
  | "fired_again"
  | "resolved"
  | "acknowledged"
  | "note"
  | "outcome"
  | "assigned"
  | "due"
  | "progress"
  | "escalated"
  | "delivered"
  | "given_up"
  | "fell_back"
  | "quiet"
  | "told"
  | "linked";

export interface HistoryEntry {
  id: string;
  at: string;
  kind: HistoryKind;
  who: string | null;
  detail: string | null;
}

export const LINK_KINDS = ["url", "issue", "firing", "change", "error_group"] as const;
export type LinkKind = (typeof LINK_KINDS)[number];

export interface FiringLink {
  kind: LinkKind;
  target: string;
  at: string;
  who: string | null;
}

export type MessageKind = "fire" | "resolve" | "remind" | "escalate" | "test";
export type MessageState = "pending" | "delivered" | "given_up" | "folded";

export interface Delivery {
  id: string;
  firing: string | null;
  channel: string;
  kind: MessageKind;
  state: MessageState;
  created_at: string;
  not_before: string;
  attempts: number;
  delivered_at: string | null;
  given_up_at: string | null;
  last_error: string | null;
  fell_back_to: string | null;
}

export interface FiringDetail extends Firing {
  /** What to do first. */
  action: string | null;
  runbook: string | null;
  history: HistoryEntry[];
  links: FiringLink[];
  deliveries: Delivery[];
}

export interface FiringQuestion {
  class: FiringClass;
  state: FiringState | null;
  service: string | null;
  rule: string | null;
}

/** Rows of a page, and the most that one call answers. */
export const PAGE_ROWS = 50;
export const PAGE_MOST = 500;

export const readFirings = (
  question: FiringQuestion,
  limit: number,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<FiringList> =>
  get<FiringList>("/firings", { ...question, limit, cursor }, ["firings", "next"], signal);
/** Those that are not done, the one that is due first in front. */
export const readTickets = (
  overdue: boolean,
  limit: number,
  cursor: string | null,
  signal?: AbortSignal,
): Promise<FiringList> =>
  get<FiringList>(
    "/tickets",
    { overdue: overdue ? "true" : null, limit, cursor },
    ["firings", "next"],
    signal,
  );

const ofFiring = (id: string, rest = ""): string => `/firings/${encodeURIComponent(id)}${rest}`;
export const readFiring = (id: string, signal: AbortSignal): Promise<FiringDetail> =>
  get<FiringDetail>(ofFiring(id), {}, ["history", "links", "deliveries", "labels"], signal);
export const acknowledge = (id: string): Promise<object> => post(ofFiring(id, "/ack"), {}, []);
export const sayOutcome = (id: string, outcome: Outcome, why: string | null): Promise<object> =>
  post(ofFiring(id, "/outcome"), { outcome, why }, []);
export const addNote = (id: string, text: string): Promise<object> =>
  post(ofFiring(id, "/notes"), { text }, []);
export const assignOwner = (id: string, owner: string): Promise<object> =>
  post(ofFiring(id, "/owner"), { owner }, []);
export const moveDue = (id: string, due: Date): Promise<object> =>
  post(ofFiring(id, "/due"), { due_at: due.toISOString() }, []);
export const setProgress = (id: string, progress: Progress): Promise<object> =>
  post(ofFiring(id, "/progress"), { progress }, []);
export const addLink = (id: string, kind: LinkKind, target: string): Promise<object> =>
  post(ofFiring(id, "/links"), { kind, target }, []);

export interface Sum {
  tally: { good: number; valid: number; unknown: number };
  /** Minutes of the time, and how many of them were seen. */
  minutes: number;
  seen: number;
}

export type Exhaustion =
  { state: "already" } | { state: "in"; in: string } | { state: "not_in_window" | "unknown" };

export interface Objective {
  service: string;
  name: string;
  route: string | null;
  /** The condition of a good request; null for one of a check. */
  good: string | null;
  check: string | null;
  target_percent: number;
  /** `30d`, `month`, `week`, `quarter`. */
  window_spec: string;
  window: { from: string; to: string };
  time_zone: string | null;
  sum: Sum;
  sli: number | null;
  error_ratio: number | null;
  budget: number;
  left: number | null;
  left_of_window: number | null;
  burn_1h: number | null;
  burn_6h: number | null;
  exhaustion: Exhaustion;
}

export interface ObjectiveStep extends Sum {
  at: string;
  left: number | null;
}

export interface BurntBy {
  name: string | null;
  bad: number;
  people: number;
}

export interface ObjectiveDetail extends Objective {
  step_s: number;
  steps: ObjectiveStep[];
  routes: BurntBy[] | null;
  changes: Change[];
  rules: string[];
}

export const readObjectives = (signal: AbortSignal): Promise<{ objectives: Objective[] }> =>
  get<{ objectives: Objective[] }>("/objectives", {}, ["objectives"], signal);
export const readObjective = (
  service: string,
  name: string,
  signal: AbortSignal,
): Promise<ObjectiveDetail> =>
  get<ObjectiveDetail>(
    `/objectives/${encodeURIComponent(service)}/${encodeURIComponent(name)}`,
    {},
    ["steps", "changes", "rules", "sum"],
    signal,
  );

export const PHASES = ["firing", "pending", "source_lost", "failed", "absent", "fine"] as const;
export type Phase = (typeof PHASES)[number];

export interface RuleSeries {
  labels: Record<string, string>;
  phase: Phase;
  since: string;
  /** What is missing while it goes on firing. */
  blind: Phase | null;
  value: number | null;
}

export interface Rule {
  name: string;
  class: "alert" | "ticket" | "record";
  service: string | null;
  owner: string | null;
  action: string | null;
  runbook: string | null;
  condition: string;
  detects: Detects | null;
  objective: string | null;
  threshold: number | null;
  /** The worst of its series. */
  phase: Phase;
  series: RuleSeries[];
  series_more: number;
  left_out: number;
}

export interface RuleList {
  rules: Rule[];
  config_problem: string | null;
  last_evaluation_us: number;
}

export const readRules = (signal: AbortSignal): Promise<RuleList> =>
  get<RuleList>("/rules", {}, ["rules", "config_problem"], signal);

export interface Channel {
  name: string;
  /** Null when no configuration names it any more. */
  kind: string | null;
  classes: FiringClass[];
  state: {
    failing_since: string | null;
    last_success_at: string | null;
    last_error: string | null;
    last_error_at: string | null;
    test_sent_at: string | null;
    test_acknowledged_at: string | null;
    test_acknowledged_by: string | null;
  } | null;
}

export const readChannels = (signal: AbortSignal): Promise<{ channels: Channel[] }> =>
  get<{ channels: Channel[] }>("/channels", {}, ["channels"], signal);
export const testChannel = (name: string): Promise<{ id: string }> =>
  post<{ id: string }>(`/channels/${encodeURIComponent(name)}/test`, {}, ["id"]);
export const testArrived = (id: string): Promise<{ channel: string }> =>
  post<{ channel: string }>(`/channels/tests/${encodeURIComponent(id)}/ack`, {}, ["channel"]);

export interface Matcher {
  label: string;
  value: string;
}
interface Hush {
  id: string;
  reason: string;
  who: string;
  from: string;
  until: string;
}
export interface Silence extends Hush {
  matchers: Matcher[];
}
export interface Maintenance extends Hush {
  /** Null for all services. */
  service: string | null;
}
export interface QuietList {
  silences: Silence[];
  maintenances: Maintenance[];
}

export const readQuiet = (signal: AbortSignal): Promise<QuietList> =>
  get<QuietList>("/silences", {}, ["silences", "maintenances"], signal);
export const addSilence = (matchers: Matcher[], reason: string, until: Date): Promise<object> =>
  post("/silences", { matchers, reason, until: until.toISOString() }, []);
export const endSilence = (id: string): Promise<void> =>
  remove(`/silences/${encodeURIComponent(id)}`);
export const addMaintenance = (
  service: string | null,
  reason: string,
  from: Date | null,
  until: Date,
): Promise<object> =>
  post(
    "/maintenances",
    { service, reason, from: from?.toISOString() ?? null, until: until.toISOString() },
    [],
  );
export const endMaintenance = (id: string): Promise<void> =>
  remove(`/maintenances/${encodeURIComponent(id)}`);

export const CHECK_STATES = ["failed", "unknown", "late", "pending", "ok"] as const;
export type CheckStatus = (typeof CHECK_STATES)[number];

export interface Why {
  code: string;
  expected: string;
  got: string;
  text: string;
}
export interface Evidence {
  tried: string;
  found: string;
  reached: boolean;
}
export interface Uptime {
  ok: number;
  failed: number;
  unknown: number;
  unwatched: number;
  ratio: number | null;
}

/** Where a check stands in one place. */
export interface Place {
  /** `server`, or a host with an agent. */
  from: string;
  status: CheckStatus;
  last_at: string | null;
  total_ms: number | null;
  why: Why | null;
}

export interface Check {
  name: string;
  kind: "http" | "tcp" | "tls" | "dns" | "icmp" | "heartbeat";
  target: string;
  service: string | null;
  every_s: number;
  from: string[];
  /** Empty when it runs on the server alone. */
  places: Place[];
  status: CheckStatus;
  since: string | null;
  last_at: string | null;
  last_ok: string | null;
  total_ms: number | null;
  why: Why | null;
  step: number | null;
  evidence: Evidence[];
  certificate_ends: string | null;
  heartbeat: { id: string; phase: string; last_end: string | null; due: string } | null;
  uptime: Uptime;
}

export interface CheckList {
  checks: Check[];
  total: number;
  counts: Partial<Record<CheckStatus, number>>;
  next_cursor: string | null;
  not_stored: number;
}

export interface CheckStep {
  name: string;
  ok: boolean;
  why: Why | null;
  status: number | null;
  address: string | null;
  dns_us: number | null;
  connect_us: number | null;
  tls_us: number | null;
  first_byte_us: number | null;
  total_us: number | null;
  certificate_ends: string | null;
}

export interface CheckRun {
  at: string;
  from: string;
  status: CheckStatus;
  attempts: number;
  total_ms: number | null;
  step: number | null;
  why: Why | null;
  evidence: Evidence[];
  steps: CheckStep[];
}

export interface CheckDetail extends Check {
  /** The last day, a letter a minute: `o` good, `x` bad, `?` unknown, `-` nobody looked. */
  minutes: string;
  history: { at: string; status: CheckStatus; total_ms: number | null }[];
  runs: CheckRun[];
  last_bad: CheckRun | null;
}

export interface CheckQuestion {
  status: string | null;
  service: string | null;
  q: string | null;
}
export const readChecks = (
  question: CheckQuestion,
  limit: number,
  signal: AbortSignal,
): Promise<CheckList> =>
  get<CheckList>("/checks", { ...question, limit }, ["checks", "total", "counts"], signal);
const ofCheck = (name: string, rest = ""): string => `/checks/${encodeURIComponent(name)}${rest}`;
export const readCheck = (name: string, signal: AbortSignal): Promise<CheckDetail> =>
  get<CheckDetail>(ofCheck(name), {}, ["runs", "history", "minutes"], signal);
export const runCheck = (name: string): Promise<CheckRun> =>
  post<CheckRun>(ofCheck(name, "/run"), {}, ["status"]);

export interface CoverageRow {
  route: string;
  count: number;
  share: number | null;
  errors: number;
  covered_by: { check: string; step: number }[];
}
export interface Coverage {
  service: string;
  from: string;
  to: string;
  routes: number;
  routes_covered: number;
  requests: number;
  requests_covered: number;
  share_covered: number | null;
  uncovered: CoverageRow[];
  covered: CoverageRow[];
  without_traffic: { check: string; step: number }[];
}
export const readCoverage = (
  service: string,
  span: { from: Date; to: Date },
  signal: AbortSignal,
): Promise<Coverage> =>
  get<Coverage>(
    "/coverage",
    { service, from: span.from.toISOString(), to: span.to.toISOString() },
    ["uncovered", "covered"],
    signal,
  );
