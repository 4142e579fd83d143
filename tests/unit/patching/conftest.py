"""The small wired world of ``effects/``."""

from ..effects.conftest import deep, world

__all__ = ["deep", "world"]
