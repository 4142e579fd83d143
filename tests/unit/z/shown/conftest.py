"""The small wired world of ``effects/`` and the planted one of ``plausibility/``."""

from ...effects.conftest import world
from ...plausibility.conftest import plant

__all__ = ["plant", "world"]
