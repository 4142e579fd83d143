"""Files that take long begin first, and cases drawn by lot are the same in every run.

No process is left alone with a long file at the end. ``CIRCUITZ_FUZZ=1`` draws other cases each time.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

settings.register_profile("same", derandomize=True)
if os.environ.get("CIRCUITZ_FUZZ", "") in ("", "0"):
    settings.load_profile("same")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put files with tests marked *slow* before the others, otherwise in their order."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """Ctrl-C works here and in processes started here, also where the tests run in the background.

    A shell starts background jobs with SIGINT ignored, and what they start inherits that.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)
