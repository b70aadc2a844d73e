DROP TABLE search_segments;
DROP TABLE search_terms;
DROP TABLE search_documents;
DROP TABLE search_pending;
DROP TABLE hazard_lists;
DROP INDEX hazards_by_criterion;
DROP INDEX hazards_by_reporter;
ALTER TABLE hazards DROP COLUMN reported_by;
ALTER TABLE hazards DROP COLUMN criterion;
