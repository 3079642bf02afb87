// Why a line or record was rejected: the server's names for it, and our texts. Pure.

import type { MessageKey } from "../../i18n/keys";

export const REASONS: Record<string, MessageKey> = {
  blank: "why-blank",
  too_long: "why-too-long",
  cut_short: "why-cut-short",
  no_time: "why-no-time",
  bad_time: "why-bad-time",
  no_request: "why-no-request",
  no_status: "why-no-status",
  bad_status: "why-bad-status",
  not_json: "why-not-json",
  not_ltsv: "why-not-ltsv",
  not_alb: "why-not-alb",
  not_elb: "why-not-elb",
  not_cloudfront: "why-not-cloudfront",
  heading: "why-heading",
  no_match: "why-no-match",
  unknown_format: "why-unknown-format",
  not_a_map: "why-not-a-map",
  too_deep: "why-too-deep",
  malformed: "why-malformed",
  bad_id: "why-bad-id",
  bad_value: "why-bad-value",
  bad_name: "why-bad-name",
  read_only: "why-read-only",
  unknown: "why-unknown",
  over_limit: "why-over-limit",
  service_is_deleted: "why-service-is-deleted",
  too_many_series: "why-too-many-series",
  lost: "why-lost",
};
