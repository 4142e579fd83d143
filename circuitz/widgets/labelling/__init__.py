"""The labelling screen: one picture, one decision. No torch."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
