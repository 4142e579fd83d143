"""A circuit graph as a value: nodes, edges, layout, files. No torch."""
