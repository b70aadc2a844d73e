ALTER TABLE jurisdictions ALTER COLUMN path TYPE TEXT COLLATE "default";
