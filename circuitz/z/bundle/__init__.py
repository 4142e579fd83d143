"""A z on disk: written whole or not at all, read without trusting what was written."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
