"""A base network: everything about it is planted, so everything about it is known."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from circuitz.bench.checker.bench_world import BenchmarkWorld, ContextTie, Skew
from circuitz.bench.checker.planted_net import UNITS, Dense, PlantedNet
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

F32 = npt.NDArray[np.float32]

PREPROCESSING = Preprocessing((0.5,) * 3, (0.25,) * 3, (28, 28))
#: What all parts of a class together add to its logit.
GAIN = 8.0


@dataclass(frozen=True)
class DrawSizes:
    """How many images are drawn: of D a class, of the concept set, and of the set truth is read on."""

    per_class: int = 90
    concept_set: int = 420
    unseen_pairs: int = 300


@dataclass(frozen=True, eq=False)
class InnerWires:
    """Wires that were planted within the features, between two of their layers.

    Parameters
    ----------
    source, target
        Names of the layers.
    directions
        ``(k, d)`` what carries something in the first, one a row.
    wires
        ``(k, f)`` bool: which of them make which units of the second.
    """

    source: str
    target: str
    directions: F32
    wires: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class BaseNetwork:
    """A network with known truth, as a value; the functions of :mod:`.edit` make others of it.

    Parameters
    ----------
    family, seed
        Where it comes from.
    world
        Images it is about.
    features
        Detectors: prepared images to maps that are never negative; the mean of a map is about 1
        where its concept is shown and about 0 where it is not.
    sees
        Concept of each feature; empty for one that sees nothing in particular.
    peak
        ``(f,)`` about the largest value of each map at any position.
    mix
        Weights ``(u, f)`` and biases ``(u,)`` of the units, as planted.
    head
        Layers after the units, as planted.
    words
        Unit to the words on it.
    edge_words
        Unit and class to the words on the edge between them.
    ties
        What D ties to classes.
    spatial
        See :class:`circuitz.bench.checker.planted_net.PlantedNet`.
    noise
        Standard deviation of what is added to every planted weight of ``mix``, and, times the
        largest weight of its layer, of ``head``.
    draws
        Sizes of its sets.
    skew
        What its concept set ties to a part.
    shuffled
        Whether D's labels belong to other images.
    preprocessing
        Of the images.
    inside
        Wires within ``features``, where those were written down.
    """

    family: str
    seed: int
    world: BenchmarkWorld
    features: nn.Module
    sees: tuple[str, ...]
    peak: F32
    mix: Dense
    head: tuple[Dense, ...]
    words: dict[int, str] = field(default_factory=dict[int, str])
    edge_words: dict[tuple[int, str], str] = field(default_factory=dict[tuple[int, str], str])
    ties: tuple[ContextTie, ...] = ()
    spatial: bool = True
    noise: float = 0.02
    draws: DrawSizes = DrawSizes()
    skew: Skew | None = None
    shuffled: bool = False
    preprocessing: Preprocessing = PREPROCESSING
    inside: InnerWires | None = None

    def with_fields(self, **changes: Any) -> BaseNetwork:
        """Return it with some fields replaced."""
        return replace(self, **changes)

    @property
    def unit_count(self) -> int:
        """Units."""
        return len(self.mix[1])

    @property
    def unit_ids(self) -> tuple[str, ...]:
        """Ids of the units."""
        return tuple(f"{UNITS}:{u}" for u in range(self.unit_count))

    @cached_property
    def noisy_network(self) -> PlantedNet:
        """The network: what was planted, and noise on every weight."""
        draw = np.random.default_rng([self.seed, 11])
        mix = (self.mix[0] + _gaussian_noise_like(draw, self.mix[0], self.noise), self.mix[1])
        head: list[Dense] = []
        for weight, bias in self.head:
            size = self.noise * float(np.abs(weight).max(initial=0.0))
            noise = _gaussian_noise_like(draw, weight, size)
            if not head and weight.shape[1] == self.unit_count:
                # A unit that was lifted responds by far more than its concept: noise would swamp it.
                noise[:, self.mix[1] > 2] = 0
            head.append((weight + noise, bias))
        # A dead row stays dead: noise would wake it.
        dead = ~self.mix[0].any(1)
        mix[0][dead] = 0
        return PlantedNet(self.features, mix, head, spatial=self.spatial).eval()

    @cached_property
    def data(self) -> InputSet:
        """D."""
        return self.draw_data(self.seed)

    def draw_data(self, seed: int, per_class: int | None = None) -> InputSet:
        """Draw a D as the network's own, with another seed and perhaps another size."""
        data = self.world.draw_data(per_class or self.draws.per_class, self.ties, seed)
        if not self.shuffled:
            return data
        assert data.labels is not None
        return replace(data, labels=np.random.default_rng([seed, 12]).permutation(data.labels))

    @cached_property
    def concept_set(self) -> InputSet:
        """The concept set."""
        return self.world.draw_concept_set(self.draws.concept_set, self.seed, skew=self.skew)

    @cached_property
    def unseen_pairs(self) -> InputSet:
        """Paired renders that the check never sees; truth is read on them."""
        return self.world.draw_concept_set(self.draws.unseen_pairs, self.seed + 500_000, twins=1.0)

    def responses_and_logits(self, images: npt.NDArray[Any]) -> tuple[F32, F32]:
        """Return responses of the units ``(n, u)`` and logits ``(n, k)``."""
        mean, std = (
            np.array(v, np.float32) for v in (self.preprocessing.mean, self.preprocessing.std)
        )
        net, units, logits = self.noisy_network, [], []
        with torch.no_grad():
            for start in range(0, len(images), 256):
                x = (np.asarray(images[start : start + 256], np.float32) / 255 - mean) / std
                maps = net.features(torch.from_numpy(x).permute(0, 3, 1, 2).contiguous())
                acts = net.units(maps) if self.spatial else net.units(net.pool(maps))
                pooled = net.pool(acts) if self.spatial else acts
                units.append(pooled.numpy())
                logits.append(net.head(pooled).numpy())
        return np.concatenate(units), np.concatenate(logits)

    @cached_property
    def accuracy_on_own_data(self) -> float:
        """Share of D it tells right."""
        assert self.data.labels is not None
        return float(
            (self.responses_and_logits(self.data.images)[1].argmax(1) == self.data.labels).mean()
        )


def _gaussian_noise_like(rng: np.random.Generator, like: F32, std: float) -> F32:
    return (rng.standard_normal(like.shape) * std).astype(np.float32)
