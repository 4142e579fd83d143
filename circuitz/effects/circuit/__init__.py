"""The circuit graph of a class, measured edge by edge."""
