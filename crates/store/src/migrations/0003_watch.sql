CREATE TABLE firings (
    id TEXT NOT NULL PRIMARY KEY,
    rule TEXT NOT NULL,
    spec TEXT NOT NULL,
    class TEXT NOT NULL,
    service TEXT,
    series TEXT NOT NULL,
    series_key TEXT NOT NULL,
    condition_text TEXT NOT NULL,
    state TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    resolved_at BIGINT,
    times BIGINT NOT NULL,
    value TEXT,
    threshold TEXT,
    told BIGINT NOT NULL,
    quiet_reason TEXT,
    escalation_level BIGINT NOT NULL,
    escalate_at BIGINT,
    acknowledged_at BIGINT,
    acknowledged_by TEXT,
    owner TEXT,
    due_at BIGINT,
    progress TEXT,
    done_at BIGINT,
    done_by TEXT,
    notes BIGINT NOT NULL,
    outcome TEXT,
    outcome_why TEXT,
    outcome_by TEXT,
    outcome_at BIGINT
);
CREATE UNIQUE INDEX firings_one_open ON firings (series_key) WHERE state = 'open';
CREATE INDEX firings_by_key ON firings (series_key, started_at);
CREATE INDEX firings_by_time ON firings (started_at, id);
CREATE INDEX firings_by_class ON firings (class, started_at, id);
CREATE INDEX firings_by_service ON firings (service, class, started_at, id);
CREATE INDEX firings_by_rule ON firings (rule, started_at, id);
CREATE INDEX firings_open_by_class ON firings (class, started_at, id) WHERE state = 'open';
CREATE INDEX firings_open_by_service ON firings (service, class, started_at, id) WHERE state = 'open';
CREATE INDEX firings_open_by_rule ON firings (rule, started_at, id) WHERE state = 'open';
CREATE INDEX firings_untold ON firings (started_at, id) WHERE state = 'open' AND told = 0;
CREATE INDEX firings_to_escalate ON firings (escalate_at, id) WHERE state = 'open' AND escalate_at IS NOT NULL;
CREATE INDEX tickets_to_do ON firings (due_at, id) WHERE progress IN ('open', 'in_progress');
CREATE TABLE firing_history (
    id TEXT NOT NULL PRIMARY KEY,
    firing TEXT NOT NULL REFERENCES firings (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,
    kind TEXT NOT NULL,
    who TEXT,
    detail TEXT
);
CREATE INDEX firing_history_by_firing ON firing_history (firing, at, id);
CREATE TABLE firing_links (
    firing TEXT NOT NULL REFERENCES firings (id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    target TEXT NOT NULL,
    at BIGINT NOT NULL,
    who TEXT,
    PRIMARY KEY (firing, kind, target)
);
CREATE INDEX firing_links_by_target ON firing_links (kind, target);
CREATE TABLE outbox (
    id TEXT NOT NULL PRIMARY KEY,
    firing TEXT REFERENCES firings (id) ON DELETE CASCADE,
    channel TEXT NOT NULL,
    turn BIGINT NOT NULL,
    kind TEXT NOT NULL,
    group_key TEXT NOT NULL,
    batch TEXT,
    payload TEXT NOT NULL,
    folds BIGINT NOT NULL,
    state TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    not_before BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    claimed_until BIGINT,
    claim TEXT,
    delivered_at BIGINT,
    given_up_at BIGINT,
    last_error TEXT,
    fell_back_to TEXT
);
CREATE UNIQUE INDEX outbox_turns ON outbox (firing, channel, turn);
CREATE INDEX outbox_pending ON outbox (channel, not_before, id) WHERE state = 'pending';
CREATE INDEX outbox_by_batch ON outbox (batch);
CREATE INDEX outbox_by_time ON outbox (created_at, id);
CREATE TABLE channel_states (
    channel TEXT NOT NULL PRIMARY KEY,
    failing_since BIGINT,
    last_success_at BIGINT,
    last_error TEXT,
    last_error_at BIGINT,
    test_sent_at BIGINT,
    test_message TEXT,
    test_acknowledged_at BIGINT,
    test_acknowledged_by TEXT
);
CREATE TABLE silences (
    id TEXT NOT NULL PRIMARY KEY,
    matchers TEXT NOT NULL,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX silences_by_end ON silences (ends_at, id);
CREATE TABLE maintenances (
    id TEXT NOT NULL PRIMARY KEY,
    service TEXT,
    reason TEXT NOT NULL,
    who TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX maintenances_by_end ON maintenances (ends_at, id);
CREATE TABLE rotation_overrides (
    id TEXT NOT NULL PRIMARY KEY,
    rotation TEXT NOT NULL,
    person TEXT NOT NULL,
    reason TEXT,
    who TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    starts_at BIGINT NOT NULL,
    ends_at BIGINT NOT NULL
);
CREATE INDEX rotation_overrides_by_end ON rotation_overrides (rotation, ends_at, id);
