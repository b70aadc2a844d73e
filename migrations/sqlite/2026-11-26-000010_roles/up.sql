-- Sectors that a grant is limited to, one a line; NULL: every sector.
ALTER TABLE grants ADD COLUMN sectors TEXT;
-- The certificate by which an inspector acts, and the last day of its validity (YYYY-MM-DD).
ALTER TABLE grants ADD COLUMN certificate_number TEXT;
ALTER TABLE grants ADD COLUMN certificate_valid_to TEXT;
-- Why it is held away from home for a time; NULL: it is not a temporary grant.
ALTER TABLE grants ADD COLUMN temporary_reason TEXT;
