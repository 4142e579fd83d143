"""The job of the rows that look at a whole network, and captum's side of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from circuitz.bench.captum_side import F32, CaptumAblation
from circuitz.bench.nets import untrained_resnet18
from circuitz.bench.row import RowSize, Sides
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

    def __init__(self, size: RowSize) -> None:
        net = untrained_resnet18(CLASSES, width=16 if size.quick else 64, side=SIDE)
        convs = {n: m for n, m in net.named_modules() if isinstance(m, nn.Conv2d)}
        self.layers = list(convs)
        self.units = sum(m.out_channels for m in convs.values())
        self.runtime = Runtime(net, self.layers, Preprocessing(size=(SIDE, SIDE)))
        draw = torch.Generator().manual_seed(1)
        self.x = torch.randn(IMAGES, 3, SIDE, SIDE, generator=draw)

    def sides_against_captum(
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

        def facts_with_network_size(our_result: Any, _theirs: Any) -> dict[str, float | int | str]:
            many = next(iter(self.captum_by_layer.values())).perturbations_per_eval
            return {
                "units": self.units, "images": IMAGES, "perturbations_per_eval": many,
                **facts(our_result),
            }  # fmt: skip

        return Sides(
            ours=ours,
            peer=self.run_captum_on_sample,
            difference=difference,
            peer_share=self.captum_share_in_sample,
            sample=self.sample_in_words,
            facts=facts_with_network_size,
        )

    @cached_property
    def captum_by_layer(self) -> dict[str, CaptumAblation]:
        """Captum's side, a layer each, at the fastest ``perturbations_per_eval``."""
        sample = np.arange(SAMPLE)
        net = self.runtime.module
        sides = {n: CaptumAblation(net, n, self.x, sample) for n in self.layers[::_EVERY]}
        chosen = next(iter(sides.values())).tune_perturbations_per_eval((1, 4, 8))
        for side in sides.values():
            side.perturbations_per_eval = chosen
        return sides

    def run_captum_on_sample(self) -> dict[str, F32]:
        """Return what captum finds for the sample and the first class."""
        return {name: side(0) for name, side in self.captum_by_layer.items()}

    @property
    def captum_share_in_sample(self) -> float:
        """Share of captum's evaluations that :meth:`run_captum_on_sample` makes."""
        done = sum(1 + side.features for side in self.captum_by_layer.values())
        return done / ((self.units + len(self.layers)) * CLASSES)

    @property
    def sample_in_words(self) -> str:
        """What captum was timed on, in words."""
        return (
            f"captum timed on {SAMPLE} units of each of {len(self.captum_by_layer)} layers of "
            f"{len(self.layers)}, and 1 of {CLASSES} classes"
        )
