"""Where base networks come from; one family a file."""
