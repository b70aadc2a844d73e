DROP TABLE uploads;
DROP TABLE photo_references;
DROP TABLE photos;
