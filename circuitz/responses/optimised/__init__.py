"""Feature visualisation: inputs optimised to activate units."""
