"""The engine of interventions: write values into units, hold others, read what changes."""
