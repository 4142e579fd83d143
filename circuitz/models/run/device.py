"""Where a network runs."""

from __future__ import annotations

import torch

from circuitz.errors import DeviceError

NAMES = ("cpu", "cuda", "mps", "auto")


def choose_device(name: str = "auto") -> str:
    """Return the device of a name, tried out; ``auto`` takes a GPU where there is one.

    Raises
    ------
    DeviceError
        If there is no such device here.
    """
    base = name.partition(":")[0]
    if base not in NAMES:
        raise DeviceError(f"There is no device {name!r}.", f"Choose one of {', '.join(NAMES)}.")
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if name == "auto":
        return next(d for d in ("cuda", "mps", "cpu") if there[d])
    if not there[base]:
        raise DeviceError(
            f"This machine, or this build of torch, has no {base}.", "Choose --device cpu."
        )
    return name
