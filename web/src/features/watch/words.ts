// Which text stands for which word of the server. Pure.

import type {
  CheckStatus,
  HistoryKind,
  LinkKind,
  MessageKind,
  MessageState,
  Outcome,
  Progress,
} from "../../api/watch";
import type { MessageKey } from "../../i18n/keys";
import type { QuietWhy, Shown } from "./firings";
import type { Minute, StepPhase } from "./checks";
import type { Health } from "./objectives";

export const OUTCOME_BUTTONS: Record<Outcome, MessageKey> = {
  acted: "outcome-acted",
  healed: "outcome-healed",
  resolved_by_itself: "outcome-by-itself",
  duplicate: "outcome-duplicate",
  no_action_needed: "outcome-nothing",
};
export const OUTCOME_WORDS: Record<Outcome, MessageKey> = {
  acted: "outcome-was-acted",
  healed: "outcome-was-healed",
  resolved_by_itself: "outcome-was-by-itself",
  duplicate: "outcome-was-duplicate",
  no_action_needed: "outcome-was-nothing",
};
export const PROGRESS_WORDS: Record<Progress, MessageKey> = {
  open: "progress-open",
  in_progress: "progress-in-progress",
  done: "progress-done",
};
export const SHOWN_WORDS: Record<Shown, MessageKey> = {
  all: "inbox-all",
  open: "inbox-open",
  resolved: "inbox-past",
  todo: "inbox-todo",
  overdue: "inbox-overdue",
  done: "inbox-done",
};
/** Those with a cause are completed by `by`, `until` and `reason`. */
export const QUIET_WORDS: Record<QuietWhy, MessageKey> = {
  maintenance: "quiet-maintenance",
  silenced: "quiet-silenced",
  inhibited: "quiet-inhibited",
  no_channel: "quiet-no-channel",
  other: "quiet-other",
};
export const HISTORY_WORDS: Record<HistoryKind, MessageKey> = {
  fired: "history-fired",
  fired_again: "history-fired-again",
  resolved: "history-resolved",
  acknowledged: "history-acknowledged",
  note: "history-note",
  outcome: "history-outcome",
  assigned: "history-assigned",
  due: "history-due",
  progress: "history-progress",
  escalated: "history-escalated",
  delivered: "history-delivered",
  given_up: "history-given-up",
  fell_back: "history-fell-back",
  quiet: "history-quiet",
  told: "history-told",
  linked: "history-linked",
};
export const LINK_WORDS: Record<LinkKind, MessageKey> = {
  url: "link-url",
  issue: "link-issue",
  firing: "link-firing",
  change: "link-change",
  error_group: "link-error-group",
};
export const MESSAGE_WORDS: Record<MessageKind, MessageKey> = {
  fire: "message-fire",
  resolve: "message-resolve",
  remind: "message-remind",
  escalate: "message-escalate",
  test: "message-test",
};
export const DELIVERY_WORDS: Record<MessageState, MessageKey> = {
  pending: "delivery-pending",
  delivered: "delivery-delivered",
  given_up: "delivery-given-up",
  folded: "delivery-folded",
};
export const HEALTH_WORDS: Record<Health, MessageKey> = {
  spent: "objective-spent",
  burning: "objective-burning",
  unknown: "objective-unknown",
  fine: "objective-fine",
};
export const CHECK_WORDS: Record<CheckStatus, MessageKey> = {
  failed: "check-failed",
  unknown: "check-unknown",
  late: "check-late",
  pending: "check-pending",
  ok: "check-ok",
};
export const MINUTE_WORDS: Record<Minute, MessageKey> = {
  ok: "minute-ok",
  failed: "minute-failed",
  unknown: "minute-unknown",
  unwatched: "minute-unwatched",
};
export const STEP_PHASE_WORDS: Record<StepPhase, MessageKey> = {
  dns: "step-dns",
  connect: "step-connect",
  tls: "step-tls",
  first_byte: "step-first-byte",
  rest: "step-rest",
};
