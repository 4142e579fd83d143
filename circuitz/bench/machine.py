"""What a speed table was measured on."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from typing import Any

_PACKAGES = ("circuitz", "torch", "captum", "transformer-lens", "numpy")


def describe_machine() -> dict[str, Any]:
    """Return cores, load, threads and versions; figures mean little without them."""
    import torch  # noqa: PLC0415

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    return {
        "system": platform.platform(terse=True),
        "processor": platform.machine(),
        "cores": os.cpu_count(),
        "torch_threads": torch.get_num_threads(),
        "load_1_minute": None if load is None else round(load, 2),
        "python": platform.python_version(),
        "packages": {
            name: v for name in _PACKAGES if (v := _installed_version_or_none(name)) is not None
        },
    }


def _installed_version_or_none(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
