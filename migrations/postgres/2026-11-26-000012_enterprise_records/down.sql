DROP TABLE import_rows;
DROP TABLE import_places;
DROP TABLE imports;
DROP INDEX enterprises_by_name;
DROP TABLE enterprise_rows;
