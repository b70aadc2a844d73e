-- Work that follows a change, stored in the change's own transaction, taken by lease.
CREATE TABLE jobs (
    id BYTEA PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    -- Two jobs with the same key are one job.
    dedup_key TEXT UNIQUE,
    payload TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts INTEGER NOT NULL,
    lease_until BIGINT NOT NULL,
    last_error TEXT,
    failed_at BIGINT
);
CREATE INDEX jobs_due ON jobs (failed_at, run_at);
