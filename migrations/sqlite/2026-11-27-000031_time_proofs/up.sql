-- The newest anchor of this server that an install's chain has shown, with the device's monotonic clock then:
-- whatever it sends from there on was made later.
ALTER TABLE installs ADD COLUMN anchored_at BIGINT;
ALTER TABLE installs ADD COLUMN anchored_boot BLOB;
ALTER TABLE installs ADD COLUMN anchored_monotonic_ms BIGINT;

-- The first command that does not name the hash of the one before: behind it a hash says nothing of what lies before.
ALTER TABLE installs ADD COLUMN broken_at BIGINT;
UPDATE installs SET broken_at = (
    SELECT min(own.seq) FROM pushed_commands AS own
    LEFT JOIN pushed_commands AS before ON before.install_id = own.install_id AND before.seq = own.seq - 1
    WHERE own.install_id = installs.id AND own.previous_hash <> COALESCE(before.link_hash, zeroblob(32))
);

-- After which time of this server a command was made, and what the time is worth that its device claims.
ALTER TABLE pushed_commands ADD COLUMN not_before BIGINT;
ALTER TABLE pushed_commands ADD COLUMN clock_check TEXT;

-- How far devices have seen the chains of others to be: the command that says so, and what it is about.
CREATE TABLE witness_statements (
    by_install BLOB NOT NULL REFERENCES installs (id),
    by_seq BIGINT NOT NULL,
    -- The record that the witnessed device's owner receives.
    id BLOB NOT NULL UNIQUE,
    about_install BLOB NOT NULL REFERENCES installs (id),
    about_seq BIGINT NOT NULL,
    head BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    -- When it was there, for certain: then, or earlier where it was witnessed itself.
    proven_at BIGINT NOT NULL,
    -- open, leads, fits, differs
    standing TEXT NOT NULL,
    version BIGINT NOT NULL,
    record BLOB NOT NULL,
    PRIMARY KEY (by_install, by_seq)
);
CREATE INDEX witness_statements_about ON witness_statements (about_install, standing, about_seq, by_install, by_seq);
CREATE INDEX witness_statements_by_time ON witness_statements (by_install, received_at);
