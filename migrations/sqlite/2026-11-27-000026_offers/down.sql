ALTER TABLE installs DROP COLUMN offered_at;
ALTER TABLE installs DROP COLUMN stolen;
