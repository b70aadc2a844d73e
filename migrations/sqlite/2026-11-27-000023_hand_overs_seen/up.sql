-- Hand-overs of one person, newest first: whoever took part, or sees one of them, finds theirs and not everybody's.
CREATE INDEX hand_overs_by_from ON hand_overs (from_person, id);
CREATE INDEX hand_overs_by_to ON hand_overs (to_person, id);
CREATE INDEX hand_overs_by_maker ON hand_overs (made_by, id);
