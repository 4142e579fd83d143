"""What drives what: exact interventions on the units of the cut."""
