"""Warn of pictures that hold 0 and 1 where 0 to 255 is meant."""

from __future__ import annotations

from circuitz.errors import warn_of_network
from circuitz.z.inputs import InputSet


def warn_if_nearly_black(inputs: InputSet, what: str = "Pictures") -> None:
    """Warn of pictures whose brightest value is 1 of 255."""
    images = inputs.images
    if inputs.is_tokens or not images.size or images[0].max() > 1 or images.max() != 1:
        return
    warn_of_network(
        f"{what} hold whole numbers from 0 to 1: they are taken for 0 to 255, and so nearly black. "
        "Multiply them by 255 if 1 means white."
    )
