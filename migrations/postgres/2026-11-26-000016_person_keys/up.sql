-- Keys with which people sign on somebody else's device, under a PIN. The private half is on that
-- device alone, encrypted.
CREATE TABLE person_keys (
    id BYTEA PRIMARY KEY NOT NULL,
    person_id BYTEA NOT NULL REFERENCES people (id),
    -- The installation that keeps the private half; with it revoked, the key is.
    host_install BYTEA NOT NULL REFERENCES installs (id),
    algorithm INTEGER NOT NULL,
    public_key BYTEA NOT NULL,
    registered_at BIGINT NOT NULL,
    revoked_at BIGINT,
    revoked_reason TEXT
);
CREATE INDEX person_keys_by_person ON person_keys (person_id, id);
