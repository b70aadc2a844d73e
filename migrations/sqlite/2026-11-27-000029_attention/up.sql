-- A command that took no full effect waits for its author from then on, until it is settled what is to become of
-- it; those that wait, along one index.
ALTER TABLE pushed_commands ADD COLUMN waiting_since BIGINT;
UPDATE pushed_commands SET waiting_since = received_at
    WHERE outcome NOT IN ('applied', 'merged') AND settled_at IS NULL;
CREATE INDEX pushed_commands_waiting ON pushed_commands (person_id, install_id, seq)
    WHERE waiting_since IS NOT NULL;

-- What became of such a command: what its author chose, and what those who answer for the place made of it. A
-- record of the author's own scope.
CREATE TABLE command_fates (
    id BLOB PRIMARY KEY NOT NULL,
    person_id BLOB NOT NULL REFERENCES people (id),
    install_id BLOB NOT NULL REFERENCES installs (id),
    seq BIGINT NOT NULL,
    version BIGINT NOT NULL,
    changed_at BIGINT NOT NULL,
    record BLOB NOT NULL
);
CREATE INDEX command_fates_by_person ON command_fates (person_id, changed_at, id);
