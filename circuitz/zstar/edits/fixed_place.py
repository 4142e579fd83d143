"""A concept that covers the same place of every picture with the same: a border, a stamp, a banner.

Where pictures that show it hardly differ and others do, it covers what is there; image labels say so
pixel by pixel, and nothing need be trained. Whether a picture shows it is told by which of two normal
distributions the place's pixels are likelier under.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn
from torch.nn import functional

from circuitz.zstar.edits.inpainting import fill_unknown_pixels
from circuitz.zstar.edits.pixel_network import images_to_shrunk_tensor, resize_maps
from circuitz.zstar.edits.traces import (
    TOLD_AFTER,
    TOLD_BEFORE,
    area_of_trace_teller,
    area_under_curve,
)

U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

# Of the variance of pictures without it, at most this share is left where it covers them.
_LEFT = 0.25
# Smaller places are chance; larger ones leave too little of a picture to fill them from.
_SMALLEST, _LARGEST = 0.005, 0.5
_SURE = 20.0
_BATCH = 128


@dataclass(frozen=True, eq=False)
class FixedPlace:
    """A place that a concept covers.

    Parameters
    ----------
    mask
        Images ``(n, c, h, w)`` in -1..1 in, one logit a pixel ``(n, 1, h, w)`` out, the same for all.
    teller
        Images in, one logit ``(n,)`` out: above 0 the concept is there.
    told_before, told_after
        How well it is told on pictures not learned from, as they are and with the place filled.
    """

    mask: nn.Module
    teller: nn.Module
    told_before: float
    told_after: float


def learn_fixed_place(images: U8, shows: Bool, unseen: tuple[U8, Bool]) -> FixedPlace | None:
    """Learn the place that a concept covers; ``None`` if there is none such.

    Parameters
    ----------
    images, shows
        Pictures ``(n, h, w, c)`` to learn from, and whether they show it.
    unseen
        Others, to measure on.
    """
    parts: list[tuple[torch.Tensor, torch.Tensor]] = []
    for value in (True, False):
        x = images_to_shrunk_tensor(images[shows == value])
        parts.append((x.mean(0), x.var(0)))
    (mean, variance), (usual, usual_variance) = parts
    floor = 1e-4
    place = (variance.mean(0) + floor) < _LEFT * (usual_variance.mean(0) + floor)
    # Single pixels may look so by chance; what covers pictures has some extent.
    neighbours = functional.avg_pool2d(place[None, None].float(), 3, 1, 1)[0, 0]
    place &= neighbours > 1.5 / 9
    if not _SMALLEST <= float(place.float().mean()) <= _LARGEST:
        return None
    mask = _ConstantMask(place)
    teller = _PlaceTeller(place, (mean, variance + floor), (usual, usual_variance + floor))
    before = area_under_curve(_tell(teller, unseen[0]), unseen[1])
    if not before >= TOLD_BEFORE:
        return None
    region = resize_maps(place[None, None].float(), images.shape[1:3])[0, 0].numpy() > 0

    filled = [
        fill_unknown_pixels(some, np.broadcast_to(~region, some.shape[:3]))
        for some in (images, unseen[0])
    ]
    after = area_of_trace_teller(filled[0], shows, filled[1], unseen[1])
    return FixedPlace(mask, teller, before, after) if after <= TOLD_AFTER else None


def _tell(teller: nn.Module, images: U8) -> F64:
    with torch.no_grad():
        parts = [
            teller(images_to_shrunk_tensor(images[i : i + _BATCH])).numpy()
            for i in range(0, len(images), _BATCH)
        ]
    return np.concatenate(parts).astype(np.float64)


class _ConstantMask(nn.Module):
    """One logit a pixel, whatever the picture."""

    def __init__(self, place: torch.Tensor) -> None:
        super().__init__()
        self.register_buffer("logits", torch.where(place, _SURE, -_SURE)[None, None])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.get_buffer("logits")
        return logits.expand(len(x), -1, -1, -1)


class _PlaceTeller(nn.Module):
    """The mean difference of log-likelihoods of a place's pixels."""

    def __init__(
        self,
        place: torch.Tensor,
        with_it: tuple[torch.Tensor, torch.Tensor],
        usual: tuple[torch.Tensor, torch.Tensor],
    ) -> None:
        super().__init__()
        self.register_buffer("place", place)
        for name, part in zip(("mean", "variance"), with_it, strict=True):
            self.register_buffer(name, part[:, place])
        for name, part in zip(("usual_mean", "usual_variance"), usual, strict=True):
            self.register_buffer(name, part[:, place])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = x[:, :, self.get_buffer("place")]
        there = self._log_likelihood(seen, "")
        return (there - self._log_likelihood(seen, "usual_")).mean((1, 2))

    def _log_likelihood(self, x: torch.Tensor, which: str) -> torch.Tensor:
        variance = self.get_buffer(f"{which}variance")
        return -((x - self.get_buffer(f"{which}mean")).square() / variance + variance.log()) / 2
