"""The z's of ``z/``: files are tried with what is really kept in them."""

from ..z.conftest import disk, new_inputs, new_z, z

__all__ = ["disk", "new_inputs", "new_z", "z"]
