-- Grids that were merged before enterprises followed them: those that name one name its successor now. 1000 stands behind
-- every kind of record (merges::NAMED_BY); the server takes up at its start what is not at stage 4.
UPDATE jurisdictions SET merge_stage = 3, merge_after_kind = 1000, merge_after_id = ''::bytea
WHERE merge_stage = 4 AND level = 'grid';
