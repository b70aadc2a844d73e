DROP INDEX jurisdictions_by_successor;
ALTER TABLE jurisdictions DROP COLUMN merge_after_id;
ALTER TABLE jurisdictions DROP COLUMN merge_after_kind;
ALTER TABLE jurisdictions DROP COLUMN merge_stage;
ALTER TABLE jurisdictions DROP COLUMN merged_into;
