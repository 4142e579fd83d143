"""The append-only log of annotations: entries, what stands, what differs, what is stale."""

from circuitz.old_paths import names_of_old_module

__getattr__ = names_of_old_module(__name__)
