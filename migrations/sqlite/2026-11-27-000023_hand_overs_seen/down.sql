DROP INDEX hand_overs_by_maker;
DROP INDEX hand_overs_by_to;
DROP INDEX hand_overs_by_from;
