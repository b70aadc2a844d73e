-- Sectors that a grant is limited to, one a line; NULL: every sector.
ALTER TABLE grants ADD COLUMN sectors TEXT;
-- The certificate by which an inspector acts, and the last day of its validity (YYYY-MM-DD).
ALTER TABLE grants ADD COLUMN certificate_number TEXT;
ALTER TABLE grants ADD COLUMN certificate_valid_to TEXT;
-- Why it is held away from home for a time; NULL: it is not a temporary grant.
ALTER TABLE grants ADD COLUMN temporary_reason TEXT;

-- Which sectors of which jurisdictions have a scope of their own: those that some grant is, or was,
-- limited to. `after_kind` and `after_id` say how far the records that were there before have been
-- brought into it; `filled_at`, that all have.
CREATE TABLE sector_scopes (
    jurisdiction_id BLOB NOT NULL REFERENCES jurisdictions (id),
    sector TEXT NOT NULL,
    opened_at BIGINT NOT NULL,
    after_kind INTEGER NOT NULL,
    after_id BLOB NOT NULL,
    filled_at BIGINT,
    PRIMARY KEY (jurisdiction_id, sector)
);

-- 监管行业 of a hazard, as its record says; NULL: nobody knows yet.
ALTER TABLE hazards ADD COLUMN sector TEXT;

-- Who took over whose roles (人员变动交接), and which grant was given for which.
CREATE TABLE hand_overs (
    id BLOB PRIMARY KEY NOT NULL,
    from_person BLOB NOT NULL REFERENCES people (id),
    to_person BLOB NOT NULL REFERENCES people (id),
    reason TEXT NOT NULL,
    effective_at BIGINT NOT NULL,
    made_by BLOB NOT NULL REFERENCES people (id),
    made_at BIGINT NOT NULL,
    request_hash BLOB NOT NULL
);
CREATE TABLE hand_over_grants (
    hand_over_id BLOB NOT NULL REFERENCES hand_overs (id),
    ended_id BLOB NOT NULL REFERENCES grants (id),
    given_id BLOB NOT NULL REFERENCES grants (id),
    PRIMARY KEY (hand_over_id, ended_id)
);
