CREATE TABLE error_states (
    group_id TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    since BIGINT NOT NULL,
    set_by TEXT
);
CREATE INDEX error_states_by_time ON error_states (since);
