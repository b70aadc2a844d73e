-- Which department answers for which sector of a jurisdiction and all below it (三管三必须); the row of the
-- empty sector: who takes what no department plainly answers for (业务相近).
CREATE TABLE responsibilities (
    jurisdiction_id BLOB NOT NULL REFERENCES jurisdictions (id),
    sector TEXT NOT NULL,
    department TEXT NOT NULL,
    PRIMARY KEY (jurisdiction_id, sector)
);

-- Counts the changes of what a jurisdiction says.
CREATE TABLE responsibility_versions (
    jurisdiction_id BLOB PRIMARY KEY NOT NULL REFERENCES jurisdictions (id),
    version BIGINT NOT NULL
);

-- Open hazards that no department answers for: one row for the jurisdiction that each is in and for each
-- one above it, so that the queue of any of them is read along an index. '' where no sector is known.
CREATE TABLE unclaimed_hazards (
    jurisdiction_id BLOB NOT NULL,
    received_at BIGINT NOT NULL,
    hazard_id BLOB NOT NULL,
    sector TEXT NOT NULL,
    PRIMARY KEY (jurisdiction_id, received_at, hazard_id)
);
CREATE INDEX unclaimed_hazards_by_sector ON unclaimed_hazards (jurisdiction_id, sector, received_at, hazard_id);
CREATE INDEX unclaimed_hazards_by_hazard ON unclaimed_hazards (hazard_id);
-- Before this nobody had said who answers for what. Those whose department was named one by one leave
-- when they next change, or when somebody says it; until then the queue passes over them.
INSERT INTO unclaimed_hazards (jurisdiction_id, received_at, hazard_id, sector)
SELECT above.id, h.received_at, h.id, COALESCE(h.sector, '')
FROM hazards AS h
JOIN jurisdictions AS own ON own.id = h.jurisdiction_id
JOIN jurisdictions AS above ON own.path LIKE above.path || '%'
WHERE h.status IN ('reported', 'confirmed', 'rectifying', 'pending_reinspection');
