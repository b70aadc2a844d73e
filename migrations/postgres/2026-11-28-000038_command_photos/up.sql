-- A photo that a command names which could not be judged: whoever settles it is to see it, and its author's phone is
-- asked for the bytes while nobody has.
CREATE TABLE command_photos (
    install_id BYTEA NOT NULL,
    seq BIGINT NOT NULL,
    sha256 BYTEA NOT NULL,
    -- Whose device sent it.
    person_id BYTEA NOT NULL,
    named_at BIGINT NOT NULL,
    -- When its author brought the bytes.
    arrived_at BIGINT,
    PRIMARY KEY (install_id, seq, sha256)
);
CREATE INDEX command_photos_by_photo ON command_photos (sha256, named_at);
CREATE INDEX command_photos_missing ON command_photos (person_id, named_at, sha256) WHERE arrived_at IS NULL;
