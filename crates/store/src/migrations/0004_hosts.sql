CREATE TABLE hosts (
    name TEXT NOT NULL PRIMARY KEY,
    token TEXT NOT NULL,
    version TEXT NOT NULL,
    reach TEXT,
    first_seen BIGINT NOT NULL,
    last_seen BIGINT NOT NULL
);
CREATE UNIQUE INDEX hosts_by_token ON hosts (token);
