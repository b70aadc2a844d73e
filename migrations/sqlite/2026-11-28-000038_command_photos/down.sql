DROP TABLE command_photos;
