-- Packs: what a sector's rules are. Every version that was added stays, whole, in `document`.
CREATE TABLE packs (
    id BYTEA PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    added_at BIGINT NOT NULL,
    -- SHA-256 of the document: the same version may come again, another one under its name may not.
    digest BYTEA NOT NULL,
    document BYTEA NOT NULL,
    -- What devices receive of it; criteria and checklists are records of their own.
    record BYTEA NOT NULL,
    UNIQUE (name, version)
);

CREATE TABLE checklists (
    id BYTEA PRIMARY KEY NOT NULL,
    code TEXT NOT NULL,
    edition INTEGER NOT NULL,
    pack TEXT NOT NULL,
    version BIGINT NOT NULL,
    record BYTEA NOT NULL,
    UNIQUE (code, edition)
);
CREATE INDEX checklists_by_pack ON checklists (pack);

ALTER TABLE criteria ADD COLUMN pack TEXT NOT NULL DEFAULT '';
CREATE INDEX criteria_by_pack ON criteria (pack);
