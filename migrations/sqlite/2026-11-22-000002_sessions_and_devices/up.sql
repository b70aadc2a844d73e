-- Keys that sign access tokens. Exactly one is active (newest activated, not retired); retired
-- ones verify until the last token they signed has expired.
CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY NOT NULL,
    algorithm TEXT NOT NULL,
    private_key BLOB NOT NULL,
    public_key BLOB NOT NULL,
    activated_at BIGINT NOT NULL,
    retired_at BIGINT
);

-- One installation of the app on one device, bound to one person for its whole life.
CREATE TABLE installs (
    id BLOB PRIMARY KEY NOT NULL,
    person_id BLOB NOT NULL REFERENCES people (id),
    device_name TEXT NOT NULL,
    key_algorithm INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    enrolled_at BIGINT NOT NULL,
    last_seen_at BIGINT,
    revoked_at BIGINT,
    revoked_reason TEXT,
    -- The push stream: the highest sequence that has a receipt, and the chain hash there.
    last_seq BIGINT NOT NULL,
    last_hash BLOB NOT NULL
);
CREATE INDEX installs_by_person ON installs (person_id);

-- A sign-in and all tokens that descend from it.
CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    person_id BLOB NOT NULL REFERENCES people (id),
    install_id BLOB REFERENCES installs (id),
    created_at BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT
);
CREATE INDEX sessions_by_person ON sessions (person_id);
CREATE INDEX sessions_by_install ON sessions (install_id);

CREATE TABLE refresh_tokens (
    id BLOB PRIMARY KEY NOT NULL,
    session_id BLOB NOT NULL REFERENCES sessions (id),
    -- SHA-256 of the secret; the secret itself is never stored.
    token_hash BLOB NOT NULL UNIQUE,
    parent_id BLOB,
    issued_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    first_used_at BIGINT
);
CREATE INDEX refresh_tokens_by_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_by_parent ON refresh_tokens (parent_id);
CREATE INDEX refresh_tokens_by_expiry ON refresh_tokens (expires_at);
