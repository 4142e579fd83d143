"""The job of the rows that look at a whole network, and captum's side of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from circuitz.bench.captum_side import F32, CaptumAblation
from circuitz.bench.nets import resnet18
from circuitz.bench.row import Sides, Size
from circuitz.models.run.runtime import Runtime
from circuitz.z.layer import Preprocessing

CLASSES, SIDE, IMAGES = 10, 64, 2
SAMPLE = 8  # units captum ablates of a layer
_EVERY = 5  # and of which layers: its cost is that of the whole network everywhere


class WholeNet:
    """Every convolution's units of a ResNet-18, a few images, ten classes.

    Parameters
    ----------
    size
        A quarter of the width when quick.
    """

    def __init__(self, size: Size) -> None:
        net = resnet18(CLASSES, width=16 if size.quick else 64, side=SIDE)
        convs = {n: m for n, m in net.named_modules() if isinstance(m, nn.Conv2d)}
        self.layers = list(convs)
        self.units = sum(m.out_channels for m in convs.values())
        self.runtime = Runtime(net, self.layers, Preprocessing(size=(SIDE, SIDE)))
        draw = torch.Generator().manual_seed(1)
        self.x = torch.randn(IMAGES, 3, SIDE, SIDE, generator=draw)

    def sides(
        self,
        ours: Callable[[], Any],
        difference: Callable[[Any, dict[str, F32]], float],
        facts: Callable[[Any], Mapping[str, float | int]],
    ) -> Sides:
        """Return both sides: ours, and captum on a sample.

        Parameters
        ----------
        ours
            Runs our side.
        difference
            Of our result and captum's.
        facts
            Further figures of our result.
        """

        def told(found: Any, _theirs: Any) -> dict[str, float | int | str]:
            many = next(iter(self.captum.values())).at_once
            return {
                "units": self.units, "images": IMAGES, "perturbations_per_eval": many,
                **facts(found),
            }  # fmt: skip

        return Sides(
            ours=ours,
            peer=self.peer,
            difference=difference,
            peer_share=self.peer_share,
            sample=self.sample,
            facts=told,
        )

    @cached_property
    def captum(self) -> dict[str, CaptumAblation]:
        """Captum's side, a layer each, at the fastest ``perturbations_per_eval``."""
        sample = np.arange(SAMPLE)
        net = self.runtime.module
        sides = {n: CaptumAblation(net, n, self.x, sample) for n in self.layers[::_EVERY]}
        chosen = next(iter(sides.values())).tune((1, 4, 8))
        for side in sides.values():
            side.at_once = chosen
        return sides

    def peer(self) -> dict[str, F32]:
        """Return what captum finds for the sample and the first class."""
        return {name: side(0) for name, side in self.captum.items()}

    @property
    def peer_share(self) -> float:
        """Share of captum's evaluations that :meth:`peer` makes."""
        done = sum(1 + side.features for side in self.captum.values())
        return done / ((self.units + len(self.layers)) * CLASSES)

    @property
    def sample(self) -> str:
        """What captum was timed on, in words."""
        return (
            f"captum timed on {SAMPLE} units of each of {len(self.captum)} layers of "
            f"{len(self.layers)}, and 1 of {CLASSES} classes"
        )
