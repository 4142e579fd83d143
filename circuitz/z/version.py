"""Which version of circuitz this is."""

from __future__ import annotations

import sys


def version() -> str:
    """Version of the package.

    Taken from the package that is being imported already: importing its public face from down
    here would turn the house upside down.
    """
    package = sys.modules[__name__.partition(".")[0]]
    return str(getattr(package, "__version__", "unknown"))
