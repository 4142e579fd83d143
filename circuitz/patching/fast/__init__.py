"""Following a change of one unit through a traced network, computing only what changes."""
