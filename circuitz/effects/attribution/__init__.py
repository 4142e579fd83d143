"""What an output owes to parts of an input, to heads and to neurons."""
