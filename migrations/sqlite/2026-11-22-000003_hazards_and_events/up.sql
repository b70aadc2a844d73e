-- The current state of every hazard. `record` is the CBOR that devices receive, byte for byte.
CREATE TABLE hazards (
    id BLOB PRIMARY KEY NOT NULL,
    hazard_no TEXT NOT NULL,
    enterprise_id BLOB REFERENCES enterprises (id),
    jurisdiction_id BLOB NOT NULL REFERENCES jurisdictions (id),
    district_code TEXT NOT NULL,
    grade TEXT NOT NULL,
    status TEXT NOT NULL,
    source TEXT NOT NULL,
    due_at BIGINT,
    longitude DOUBLE PRECISION,
    latitude DOUBLE PRECISION,
    cell BIGINT,
    received_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    -- Optimistic guard, ETag, and the number of events so far.
    version BIGINT NOT NULL,
    head_hash BLOB NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX hazards_by_enterprise ON hazards (enterprise_id, received_at, id);
CREATE INDEX hazards_by_jurisdiction ON hazards (jurisdiction_id, received_at, id);
CREATE INDEX hazards_by_cell ON hazards (cell);
CREATE INDEX hazards_by_number ON hazards (hazard_no);

-- What happened, append-only, one hash chain a subject. `body` is the hashed CBOR.
CREATE TABLE events (
    tx BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    subject_seq BIGINT NOT NULL,
    kind TEXT NOT NULL,
    actor_id BLOB,
    recorded_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    hash_algorithm INTEGER NOT NULL,
    previous_hash BLOB NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (tx, ordinal),
    UNIQUE (subject_id, subject_seq)
);

-- The whole-server chain over all events in commit order; its newest hash is the audit head.
CREATE TABLE audit_chain (
    position BIGINT PRIMARY KEY NOT NULL,
    tx BIGINT NOT NULL,
    ordinal INTEGER NOT NULL,
    subject_id BLOB NOT NULL,
    subject_seq BIGINT NOT NULL,
    event_hash BLOB NOT NULL,
    hash_algorithm INTEGER NOT NULL,
    chain_hash BLOB NOT NULL,
    UNIQUE (tx, ordinal)
);

-- Commands that came over REST, so that a repeated request gets the first answer again.
CREATE TABLE rest_commands (
    command_id BLOB PRIMARY KEY NOT NULL,
    person_id BLOB NOT NULL REFERENCES people (id),
    request_hash BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    answer TEXT NOT NULL
);
