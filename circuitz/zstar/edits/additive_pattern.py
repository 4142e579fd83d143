"""A concept that adds one and the same pattern to every picture: a grid, stripes, a cast of colour.

It covers much of the picture and hides nothing, so there is no region to fill. Image labels alone say
what it adds: the coefficient of its label in a regression of every pixel on the labels of the concept
set, cleaned frequency by frequency by how far it stands out of what pictures differ by anyway (a Wiener
filter). A filter matched to it tells which pictures have it (Turin 1960, *IRE Trans. Inf. Theory* 6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.ndimage import uniform_filter
from scipy.stats import gamma as gamma_distribution

from circuitz.zstar.edits.traces import (
    TOLD_AFTER,
    TOLD_BEFORE,
    TraceTeller,
    area_of_trace_teller,
    area_under_curve,
    fit_trace_teller,
)

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_BATCH = 64
# Of chance coefficients, in units of their variance, one in all passes the first in a picture out of
# twenty; the second is a mean over some tens of neighbours.
_CHANCE, _CHANCE_NEARBY = 0.05, 1.6
_NEARBY = 3


@dataclass(frozen=True, eq=False)
class MatchedFilter:
    """Tells a known pattern from what pictures differ by anyway."""

    weights: F32
    threshold: float

    def scores(self, images: U8) -> F64:
        """Return by how much the product of every picture with the filter is above the threshold."""
        parts = [
            np.tensordot(np.asarray(images[i : i + _BATCH], np.float32), self.weights, 3)
            for i in range(0, len(images), _BATCH)
        ]
        found = np.concatenate(parts).astype(np.float64) if parts else np.zeros(0)
        return found - self.threshold


@dataclass(frozen=True, eq=False)
class AdditivePattern:
    """What a concept adds to every picture, learned from image labels.

    Parameters
    ----------
    concept
        The concept.
    pattern
        ``(h, w, c)`` float32, in levels of 0..255.
    teller
        Scores pictures: above 0 the pattern is there.
    told_before, told_after
        How well the concept is told on pictures not learned from, as they are, and once all were
        given the pattern and had it taken off.
    """

    concept: str
    pattern: F32
    teller: MatchedFilter | TraceTeller
    told_before: float = float("nan")
    told_after: float = float("nan")
    source: Literal["labels"] = "labels"

    def images_show_concept(self, images: U8) -> Bool:
        """Return for every picture ``(n, h, w, c)`` whether the pattern is there, ``(n,)``."""
        return self.teller.scores(images) > 0

    def as_control(self) -> AdditivePattern:
        """Return a pattern of the same values at other places: the control."""
        order = np.random.default_rng(0).permutation(self.pattern[..., 0].size)
        flat = self.pattern.reshape(len(order), -1)[order]
        return replace(self, pattern=flat.reshape(self.pattern.shape))

    def with_concept(self, images: U8, rng: np.random.Generator) -> U8:
        """Return pictures with the pattern; nothing about it is random."""
        del rng
        return _add_to_images(images, self.pattern)

    def without_concept(self, images: U8, rng: np.random.Generator) -> U8:
        """Return pictures from which the pattern is taken."""
        del rng
        return _add_to_images(images, -self.pattern)


def learn_additive_pattern(
    concept: str,
    images: U8,
    labels: F64,
    column: int,
    unseen: tuple[U8, Bool],
) -> AdditivePattern | None:
    """Learn what a concept adds to pictures; ``None`` if that is not what it does.

    Parameters
    ----------
    concept
        Its name.
    images, labels
        Pictures ``(n, h, w, c)`` to learn from, and labels ``(n, k)`` of all concepts; NaN where
        unknown, but for the concept itself.
    column
        Which of the labels is the concept's.
    unseen
        Other pictures, and whether they show it, to measure on.

    Returns
    -------
    The pattern, where a filter finds it in unseen pictures and no trace is left once it is taken off.
    """
    shows = labels[:, column] > 0.5
    weights = _weights_of_coefficient(labels, column)
    total = np.zeros(images.shape[1:], np.float64)
    for i in range(0, len(images), _BATCH):
        total += np.tensordot(weights[i : i + _BATCH], np.asarray(images[i : i + _BATCH]), 1)
    spread = _covariance_by_frequency(images, shows)
    spectrum = np.fft.rfft2(total, axes=(0, 1))
    whitened = np.linalg.solve(spread, spectrum[..., None])[..., 0]
    power = (spectrum.conj() * whitened).real.sum(-1) / float(weights @ weights)
    gain = _wiener_gain(power, images.shape[-1])[..., None]
    size = images.shape[1:3]
    pattern = np.fft.irfft2(gain * spectrum, size, axes=(0, 1)).astype(np.float32)
    matched = np.fft.irfft2(gain * whitened, size, axes=(0, 1)).astype(np.float32)
    if not pattern.any():
        return None
    teller: MatchedFilter | TraceTeller = _filter_at_the_middle(matched, images, shows)
    before = area_under_curve(teller.scores(unseen[0]), unseen[1])
    if not before >= TOLD_BEFORE:
        # A cast of colour is slight against what pictures differ by; more than a filter tells it.
        teller = fit_trace_teller(images, shows)
        before = area_under_curve(teller.scores(unseen[0]), unseen[1])
    if not before >= TOLD_BEFORE:
        return None
    taken = [_without_pattern(some, there, pattern) for some, there in ((images, shows), unseen)]
    after = area_of_trace_teller(taken[0], shows, taken[1], unseen[1])
    if not after <= TOLD_AFTER:
        return None
    return AdditivePattern(concept, pattern, teller, before, after)


def _filter_at_the_middle(weights: F32, images: U8, shows: Bool) -> MatchedFilter:
    scores = MatchedFilter(weights, 0.0).scores(images)
    return MatchedFilter(weights, float(scores[shows].mean() + scores[~shows].mean()) / 2)


def _without_pattern(images: U8, shows: Bool, pattern: F32) -> U8:
    """Return pictures as the search makes them: all are given the pattern, then it is taken from all."""
    given = images.copy()
    given[~shows] = _add_to_images(images[~shows], pattern)
    return _add_to_images(given, -pattern)


def _weights_of_coefficient(labels: F64, column: int) -> F64:
    """``(n,)`` weights of pictures whose sum is the concept's coefficient in a regression on all."""
    usual = np.nan_to_num(np.nanmean(labels, 0))
    centred = np.where(np.isfinite(labels), labels, usual) - usual
    others = np.delete(centred, column, 1)
    mine = centred[:, column]
    # A little ridge: labels of alternatives add up to one.
    left = others.T @ others + 1e-3 * len(mine) * np.eye(others.shape[1])
    rest = mine - others @ np.linalg.solve(left, others.T @ mine)
    return rest / max(float(rest @ mine), 1e-9)


def _covariance_by_frequency(images: U8, shows: Bool) -> npt.NDArray[np.complex128]:
    """``(h, w // 2 + 1, c, c)`` covariance of each frequency's channels among pictures that show the same."""
    height, width, channels = images.shape[1:]
    spread = np.zeros((height, width // 2 + 1, channels, channels), complex)
    for value in (True, False):
        rows = np.flatnonzero(shows == value)
        total = np.zeros(spread.shape[:3], complex)
        for i in range(0, len(rows), _BATCH):
            some = np.fft.rfft2(np.asarray(images[rows[i : i + _BATCH]], np.float32), axes=(1, 2))
            total += some.sum(0)
            spread += np.einsum("nhwc,nhwd->hwcd", some, some.conj())
        spread -= total[..., :, None] * total[..., None, :].conj() / len(rows)
    return (spread / max(len(images) - 2, 1) + np.eye(channels)).astype(np.complex128)


def _wiener_gain(power: F64, channels: int) -> F64:
    """Return the share of each frequency that is kept, by its power in units of chance, all channels."""
    alone = gamma_distribution.isf(_CHANCE / power.size, channels)
    nearby = uniform_filter(power, _NEARBY, mode="nearest")
    standing_out = np.where(
        power > alone, power, np.where(nearby > _CHANCE_NEARBY * channels, nearby, 0)
    )
    return np.clip(1 - channels / np.maximum(standing_out, channels), 0, 1)


def _add_to_images(images: U8, change: F32) -> U8:
    return np.clip(np.rint(images + change), 0, 255).astype(np.uint8)
