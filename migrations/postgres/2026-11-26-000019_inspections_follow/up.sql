-- All inspections of one enterprise, oldest first: they follow it when it moves.
CREATE INDEX inspections_of_enterprise ON inspections (enterprise_id, received_at, id);
