from __future__ import annotations

import pytest


@pytest.fixture(scope="session")
def keys() -> set[str]:
    """What every summary of a demo holds."""
    return {
        "world",
        "shortcut",
        "track",
        "seed",
        "full",
        "seconds",
        "before",
        "after",
        "oracle",
        "controls",
        "findings",
        "unexplained",
        "labels",
        "bundle",
    }
