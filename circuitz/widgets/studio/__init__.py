"""The Studio: the screen on which the units of a z are looked at, named and checked."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
