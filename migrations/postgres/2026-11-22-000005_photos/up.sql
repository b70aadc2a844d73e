-- Originals, immutable, by content. Bytes lie in the object store under `object_key`.
CREATE TABLE photos (
    sha256 BYTEA PRIMARY KEY NOT NULL,
    size BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    orientation INTEGER NOT NULL,
    taken_at BIGINT,
    longitude DOUBLE PRECISION,
    latitude DOUBLE PRECISION,
    -- What EXIF said, as JSON; for those who judge evidence, not for every viewer.
    metadata TEXT NOT NULL,
    object_key TEXT NOT NULL,
    stored_at BIGINT NOT NULL,
    thumbnail_at BIGINT
);

-- A hazard names a photo, whether or not its bytes have come.
CREATE TABLE photo_references (
    hazard_id BYTEA NOT NULL REFERENCES hazards (id),
    sha256 BYTEA NOT NULL,
    named_by BYTEA NOT NULL,
    named_at BIGINT NOT NULL,
    -- awaiting_photo, verified or lost
    state TEXT NOT NULL,
    PRIMARY KEY (hazard_id, sha256)
);
CREATE INDEX photo_references_by_photo ON photo_references (sha256);
CREATE INDEX photo_references_missing ON photo_references (state, named_by);

-- tus uploads under way.
CREATE TABLE uploads (
    id BYTEA PRIMARY KEY NOT NULL,
    person_id BYTEA NOT NULL REFERENCES people (id),
    total_length BIGINT NOT NULL,
    received BIGINT NOT NULL,
    sha256 BYTEA,
    metadata TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX uploads_by_expiry ON uploads (expires_at);
CREATE INDEX uploads_by_person ON uploads (person_id);
