-- What a revoked device has not sent it may still offer, unless it was lost or stolen; when it did first.
ALTER TABLE installs ADD COLUMN stolen BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE installs ADD COLUMN offered_at BIGINT;
