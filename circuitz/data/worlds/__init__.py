"""Worlds painted here: dogs on grounds, birds over water or land."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
