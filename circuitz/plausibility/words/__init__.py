"""Do words fit what a unit responds to: matches, rivals, and what people saw."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
