DROP TABLE unclaimed_hazards;
DROP TABLE responsibility_versions;
DROP TABLE responsibilities;
