DROP TABLE provisional_deadlines;
DROP TABLE calendar_years;
