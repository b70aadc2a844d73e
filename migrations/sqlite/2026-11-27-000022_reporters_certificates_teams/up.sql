-- What somebody handed in from outside of an enterprise is a scope of its own: for those whose roles show
-- nothing else. A record's digest is the same in every scope, and a place in the order is of one row alone,
-- so both are those that the row has in the scope of its jurisdiction.
INSERT INTO scope_rows (
    scope, record_kind, record_id, present, version, digest_high, digest_low, created_at, tx, ordinal
) SELECT
    'reports:' || LOWER(
        SUBSTR(HEX(h.reported_by), 1, 8) || '-' || SUBSTR(HEX(h.reported_by), 9, 4) || '-'
        || SUBSTR(HEX(h.reported_by), 13, 4) || '-' || SUBSTR(HEX(h.reported_by), 17, 4) || '-'
        || SUBSTR(HEX(h.reported_by), 21)
    ),
    r.record_kind, r.record_id, r.present, r.version, r.digest_high, r.digest_low, r.created_at, r.tx, r.ordinal
FROM hazards AS h
JOIN scope_rows AS r
    ON r.scope = 'jurisdiction:' || LOWER(
        SUBSTR(HEX(h.jurisdiction_id), 1, 8) || '-' || SUBSTR(HEX(h.jurisdiction_id), 9, 4) || '-'
        || SUBSTR(HEX(h.jurisdiction_id), 13, 4) || '-' || SUBSTR(HEX(h.jurisdiction_id), 17, 4) || '-'
        || SUBSTR(HEX(h.jurisdiction_id), 21)
    )
    AND r.record_kind = 1 AND r.record_id = h.id
WHERE h.reported_by IS NOT NULL AND h.source NOT IN ('enterprise_self_check', 'employee_report') AND r.present;

-- Whose certificate (执法证) each number is, written as the program writes it (no blanks around, no full-width
-- signs, capitals): two accounts with one certificate would count as two inspectors. Of people who are
-- disabled there is no row. Where two accounts hold one number already, it is the first one's: both go on as
-- they are, and nobody but the first gets it again. Full-width letters are left as they were written.
CREATE TABLE certificates (
    number TEXT PRIMARY KEY NOT NULL,
    person_id BLOB NOT NULL REFERENCES people (id)
);
CREATE INDEX certificates_by_person ON certificates (person_id);
INSERT INTO certificates (number, person_id)
SELECT placed.number, placed.person_id FROM (
    SELECT
        written.number, written.person_id,
        ROW_NUMBER() OVER (PARTITION BY written.number ORDER BY written.valid_from, written.id) AS place
    FROM (
        SELECT UPPER(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(REPLACE(
            TRIM(g.certificate_number, ' ' || CHAR(12288))
            , '０', '0'), '１', '1'), '２', '2'), '３', '3'), '４', '4')
            , '５', '5'), '６', '6'), '７', '7'), '８', '8'), '９', '9')) AS number, g.person_id, g.valid_from, g.id
        FROM grants AS g
        JOIN people AS p ON p.id = g.person_id
        WHERE g.certificate_number IS NOT NULL AND p.disabled_at IS NULL
    ) AS written
) AS placed
WHERE placed.place = 1;

-- Who is on the teams of inspections that are planned and have not begun. The program reads what was planned
-- before (migrate).
CREATE TABLE planned_members (
    person_id BLOB NOT NULL,
    inspection_id BLOB NOT NULL,
    PRIMARY KEY (person_id, inspection_id)
);

-- What became of those inspections when a desk was handed over.
CREATE TABLE hand_over_inspections (
    hand_over_id BLOB NOT NULL REFERENCES hand_overs (id),
    inspection_id BLOB NOT NULL,
    -- moved, or why not
    outcome TEXT NOT NULL,
    PRIMARY KEY (hand_over_id, inspection_id)
);

-- Who settled a command that could not be judged, how (dismissed, entered) and why; and the queue of those
-- that wait, along one index.
ALTER TABLE pushed_commands ADD COLUMN settled_by BLOB;
ALTER TABLE pushed_commands ADD COLUMN settled_how TEXT;
ALTER TABLE pushed_commands ADD COLUMN settled_note TEXT;
DROP INDEX pushed_commands_to_settle;
CREATE INDEX pushed_commands_to_settle ON pushed_commands (outcome, settled_at, install_id, seq);
