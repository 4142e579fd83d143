"""What an output owes to parts of an input, to heads and to neurons."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
