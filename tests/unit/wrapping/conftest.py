"""The wired network of ``responses/``."""

from ..responses.conftest import colours, patches

__all__ = ["colours", "patches"]
