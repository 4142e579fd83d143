"""How a z looks in a notebook, as tables and in one line."""
