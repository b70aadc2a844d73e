DROP INDEX inspections_of_enterprise;
