-- A jurisdiction that became part of another one (撤并): which; how far that has got (1 the successor is told what was
-- filed here, 2 roles move there, 3 this one is emptied, 4 done); and the record after which the next lot goes on.
ALTER TABLE jurisdictions ADD COLUMN merged_into BLOB REFERENCES jurisdictions (id);
ALTER TABLE jurisdictions ADD COLUMN merge_stage INTEGER;
ALTER TABLE jurisdictions ADD COLUMN merge_after_kind INTEGER;
ALTER TABLE jurisdictions ADD COLUMN merge_after_id BLOB;
CREATE INDEX jurisdictions_by_successor ON jurisdictions (merged_into);
