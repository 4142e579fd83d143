"""The chapters of the report: what each of them shows, as plain values for the page."""
