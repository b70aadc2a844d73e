-- Whose tasks an enterprise belongs to: those who inspect it have it beside their inspections. Not by order of text: that
-- is another in each locale.
CREATE INDEX scope_rows_firms_of_tasks ON scope_rows (record_id) WHERE record_kind = 2 AND SUBSTR(scope, 1, 6) = 'tasks:';
-- What is planned or under way at an enterprise, however many inspections it has had.
CREATE INDEX inspections_to_carry_out ON inspections (enterprise_id) WHERE state IN ('planned', 'in_progress');
