DROP TABLE rest_commands;
DROP TABLE audit_chain;
DROP TABLE events;
DROP TABLE hazards;
