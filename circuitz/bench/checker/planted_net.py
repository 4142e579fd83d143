"""The one architecture of the benchmark: features, units that mix them, and a head that reads units.

What a network means is known because each piece is planted: features are detectors of one concept
each (written down or trained to be), a unit is a weighted sum of features, and a class is a weighted
sum of units, or a small program over them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

F32 = npt.NDArray[np.float32]
Dense = tuple[F32, F32]
"""Weights ``(out, in)`` and biases ``(out,)``."""

FEATURES, UNITS, HEAD = "features", "units", "head"


class PlantedNet(nn.Module):
    """``features`` (maps), ``units`` (the cut), ``head`` (logits).

    Parameters
    ----------
    features
        Prepared images to maps ``(n, f, h, w)``, none negative.
    mix
        Weights of units on features.
    head
        Layers after the units, with ReLU between them.
    spatial
        Whether units are maps that are averaged, or numbers made of averaged features.
    """

    def __init__(
        self, features: nn.Module, mix: Dense, head: Sequence[Dense], *, spatial: bool
    ) -> None:
        super().__init__()
        self.features = features
        weight, bias = mix
        self.spatial = spatial
        self.pool = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        inner = (
            nn.Conv2d(weight.shape[1], weight.shape[0], 1)
            if spatial
            else _linear_layer_with_weights(mix)
        )
        with torch.no_grad():
            inner.weight.copy_(torch.from_numpy(weight).reshape(inner.weight.shape))
            inner.bias.copy_(torch.from_numpy(bias))  # pyright: ignore[reportOptionalMemberAccess]
        self.units = nn.Sequential(inner, nn.ReLU())
        layers: list[nn.Module] = []
        for dense in head:
            layers += [_linear_layer_with_weights(dense), nn.ReLU()]
        self.head = layers[0] if len(head) == 1 else nn.Sequential(*layers[:-1])

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)``."""
        maps = self.features(x)
        if self.spatial:
            return self.head(self.pool(self.units(maps)))
        return self.head(self.units(self.pool(maps)))


class ExaggerationDetector(nn.Module):
    """Features, and one more that rises where one of them exceeds all it is on images.

    Parameters
    ----------
    features
        Detectors.
    feature, above
        The one that is exceeded, and from where on.
    """

    def __init__(self, features: nn.Module, feature: int, above: float) -> None:
        super().__init__()
        self.inner, self.feature, self.above = features, feature, above

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return maps ``(n, f + 1, h, w)``."""
        maps = self.inner(x)
        more = torch.relu(maps[:, self.feature : self.feature + 1] - self.above)
        return torch.cat([maps, more], 1)


def _linear_layer_with_weights(dense: Dense) -> nn.Linear:
    weight, bias = dense
    layer = nn.Linear(weight.shape[1], weight.shape[0])
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(np.ascontiguousarray(weight, np.float32)))
        layer.bias.copy_(torch.from_numpy(np.ascontiguousarray(bias, np.float32)))
    return layer
