-- Which of a scope's records that came to their end (closed, rejected …) devices still hold: the newest of them.
-- To whoever may see the scope all of them stay visible (present).
-- settled_at: when the record came to its end; absent: work on it goes on, or it is of no such kind. bytes: of its
-- body. window_no: which window it falls under (the program's own numbers). aside: 0 on devices; left out because it
-- is too old (1) or beyond the bytes (2). to_weigh: the bytes of its scope are to be added up again.
ALTER TABLE scope_rows ADD COLUMN settled_at BIGINT;
ALTER TABLE scope_rows ADD COLUMN bytes BIGINT NOT NULL DEFAULT 0;
ALTER TABLE scope_rows ADD COLUMN window_no INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scope_rows ADD COLUMN aside INTEGER NOT NULL DEFAULT 0;
ALTER TABLE scope_rows ADD COLUMN to_weigh BOOLEAN NOT NULL DEFAULT FALSE;

-- Of what is here already: when it last changed, for when it came to its end is in no column. Hazards that another
-- body has taken over outside of this system count from their next change on.
UPDATE scope_rows SET settled_at = (SELECT h.updated_at FROM hazards AS h WHERE h.id = scope_rows.record_id),
    bytes = (SELECT LENGTH(h.record) FROM hazards AS h WHERE h.id = scope_rows.record_id)
WHERE record_kind = 1 AND present AND record_id IN (
    SELECT id FROM hazards WHERE status IN ('closed', 'rejected', 'withdrawn', 'merged')
);
UPDATE scope_rows SET settled_at = (SELECT i.updated_at FROM inspections AS i WHERE i.id = scope_rows.record_id),
    bytes = (SELECT LENGTH(i.record) FROM inspections AS i WHERE i.id = scope_rows.record_id)
WHERE record_kind = 6 AND present AND record_id IN (
    SELECT id FROM inspections WHERE state IN ('completed', 'cancelled')
);
UPDATE scope_rows SET window_no = CASE
        WHEN scope LIKE 'reports:%' THEN 1
        WHEN scope LIKE 'enterprise:%' THEN 2
        ELSE 0
    END
WHERE settled_at IS NOT NULL;
-- A jurisdiction's window follows from its level; one of a sector has that of its jurisdiction.
CREATE TEMPORARY TABLE window_of_place AS SELECT
    'jurisdiction:' || LOWER(
        SUBSTR(HEX(id), 1, 8) || '-' || SUBSTR(HEX(id), 9, 4) || '-' || SUBSTR(HEX(id), 13, 4) || '-' || SUBSTR(HEX(id), 17, 4)
        || '-' || SUBSTR(HEX(id), 21)
    ) AS scope,
    CASE level WHEN 'city' THEN 3 WHEN 'district' THEN 4 WHEN 'town' THEN 5 WHEN 'village' THEN 6 ELSE 7 END AS window_no
FROM jurisdictions;
CREATE INDEX window_of_place_by_scope ON window_of_place (scope);
UPDATE scope_rows SET window_no = COALESCE((
    SELECT w.window_no FROM window_of_place AS w WHERE w.scope = SUBSTR(scope_rows.scope, 1, 49)
), 0)
WHERE settled_at IS NOT NULL AND scope LIKE 'jurisdiction:%';
DROP TABLE window_of_place;
-- One row says it for its scope.
UPDATE scope_rows SET to_weigh = TRUE WHERE settled_at IS NOT NULL AND NOT EXISTS (
    SELECT 1 FROM scope_rows AS before WHERE before.scope = scope_rows.scope AND before.settled_at IS NOT NULL
    AND (before.record_kind, before.record_id) < (scope_rows.record_kind, scope_rows.record_id)
);

-- First reads: what is open, then what came to its end; by the latter too what a scope gives out and leaves out.
CREATE INDEX scope_rows_open ON scope_rows (scope, tx, ordinal) WHERE present AND settled_at IS NULL;
CREATE INDEX scope_rows_ended ON scope_rows (scope, aside, settled_at, tx, ordinal) WHERE settled_at IS NOT NULL;
-- What is due to leave or to come back, over all scopes of one window.
CREATE INDEX scope_rows_by_window ON scope_rows (window_no, aside, settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX scope_rows_to_weigh ON scope_rows (scope) WHERE to_weigh;
