"""What every unit by itself adds to every class: exact, estimated, and as a table."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
