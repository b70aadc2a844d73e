-- A grant is handed over once: what the successor holds is another grant.
CREATE UNIQUE INDEX hand_over_grants_ended_id_key ON hand_over_grants (ended_id);
