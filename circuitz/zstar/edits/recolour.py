"""A concept that changes the colours of the whole picture: a tint, a light.

It lies nowhere in particular, so there is no region to edit. Pairs of pictures that differ in it
alone say what it does to a colour; the search then does it to every picture, and takes it back.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]

_BINS = 8
FIT = 0.8
"""Share of the squared change in a pair that a change of colours must explain, in the median."""


@dataclass(frozen=True, eq=False)
class Recolouring:
    """What a concept does to colours, learned from pairs.

    Parameters
    ----------
    concept
        The concept.
    on, off
        ``(m, c, c + 1)`` float32, one affine map of a pixel's channels (0..255) for each pair:
        from the picture without the concept to the one with it, and back.
    teller
        Tells from the colours of a picture whether it shows the concept.
    told_before, told_after
        How well the concept is told on pictures not learned from, as they are and with it taken
        off (area under the ROC curve; NaN where that was not measured).
    """

    concept: str
    on: F32
    off: F32
    teller: Pipeline
    told_before: float = float("nan")
    told_after: float = float("nan")
    source: Literal["pairs"] = "pairs"

    def images_show_concept(self, images: U8) -> Bool:
        """Return for every picture ``(n, h, w, c)`` whether the concept is there, ``(n,)``."""
        return _concept_logits(self.teller, images) > 0

    def as_control(self) -> Recolouring:
        """Return as large a change of other channels: the control."""
        same = np.eye(*self.on.shape[1:], dtype=np.float32)

        def roll_change_to_next_channel(maps: F32) -> F32:
            return (same + np.roll(maps - same, 1, 1)).astype(np.float32)

        return replace(
            self, on=roll_change_to_next_channel(self.on), off=roll_change_to_next_channel(self.off)
        )

    def with_concept(self, images: U8, rng: np.random.Generator) -> U8:
        """Return pictures with the concept, each as in some pair."""
        return apply_colour_maps(images, self.on[rng.integers(len(self.on), size=len(images))])

    def without_concept(self, images: U8, rng: np.random.Generator) -> U8:
        """Return pictures from which the concept is taken, each as in some pair."""
        return apply_colour_maps(images, self.off[rng.integers(len(self.off), size=len(images))])


def learn_recolouring(
    concept: str,
    pairs: tuple[U8, U8],
    labelled: tuple[U8, U8],
    unseen: tuple[U8, U8],
    *,
    seed: int = 0,
) -> Recolouring | None:
    """Learn what a concept does to colours; ``None`` if a change of colours is not what it is.

    Parameters
    ----------
    concept
        Its name.
    pairs
        Pictures with the concept and the same without it, ``(m, h, w, c)`` uint8 each.
    labelled
        All pictures with it, and without it, to learn to tell it from.
    unseen
        Others, to measure on; may be empty.
    seed
        Of weights and order.
    """
    with_it, without = pairs
    on, off = fit_colour_maps(without, with_it), fit_colour_maps(with_it, without)
    left = np.square(apply_colour_maps(without, on).astype(np.float32) - with_it).mean((1, 2, 3))
    change = np.square(without.astype(np.float32) - with_it).mean((1, 2, 3))
    if not len(on) or np.median(1 - left / np.maximum(change, 1e-6)) < FIT:
        return None
    x, y = _stack_with_labels(labelled)
    teller = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
    teller.fit(colour_features(x), y)
    draw = np.random.default_rng(seed)
    made = Recolouring(concept, on, off, teller)
    # As in the search: all are given the concept, then it is taken from all.
    given = (unseen[0], made.with_concept(unseen[1], draw))
    taken = tuple(made.without_concept(part, draw) for part in given)
    return replace(
        made,
        told_before=_auroc_of_teller(teller, unseen),
        told_after=_auroc_of_teller(teller, taken),
    )


def _stack_with_labels(with_and_without: tuple[U8, ...]) -> tuple[U8, I64]:
    return np.concatenate(with_and_without), np.repeat(
        [1, 0], [len(part) for part in with_and_without]
    )


def _auroc_of_teller(teller: Pipeline, with_and_without: tuple[U8, ...]) -> float:
    """Return the share of pairs (with, without) that are told in the right order."""
    x, y = _stack_with_labels(with_and_without)
    return (
        float(roc_auc_score(y, _concept_logits(teller, x)))
        if len(set(y.tolist())) == 2
        else float("nan")
    )


def _concept_logits(teller: Pipeline, images: U8, batch: int = 512) -> F64:
    parts = [
        teller.decision_function(colour_features(images[i : i + batch]))
        for i in range(0, len(images), batch)
    ]
    return np.concatenate(parts) if parts else np.zeros(0)


def colour_features(images: U8) -> F64:
    """Return means, spreads and covariances of the channels, and how often each value occurs.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8.

    Returns
    -------
    ``(n, f)`` float64.
    """
    n, channels = len(images), images.shape[-1]
    x = images.reshape(n, -1, channels) / 255.0
    centred = x - x.mean(1, keepdims=True)
    covariance = np.einsum("npc,npd->ncd", centred, centred) / x.shape[1]
    bins = np.clip((x * _BINS).astype(np.int64), 0, _BINS - 1)
    often = np.stack([(bins == k).mean(1) for k in range(_BINS)], 1)
    return np.concatenate([x.mean(1), covariance.reshape(n, -1), often.reshape(n, -1)], 1)


def fit_colour_maps(before: U8, after: U8) -> F32:
    """Return for each pair the affine map of channels that fits best, ``(m, c, c + 1)``."""
    channels = before.shape[-1]
    maps = np.empty((len(before), channels, channels + 1), np.float32)
    for i, (a, b) in enumerate(zip(before, after, strict=True)):
        x = np.concatenate([a.reshape(-1, channels), np.ones((a.shape[0] * a.shape[1], 1))], 1)
        # Ridge towards no change, for pictures of few colours.
        left = x.T @ x + 1e-3 * len(x) * np.eye(channels + 1)
        change = b.reshape(-1, channels).astype(np.float64) - x[:, :channels]
        maps[i] = (np.linalg.solve(left, x.T @ change) + np.eye(channels + 1, channels)).T
    return maps


def apply_colour_maps(images: U8, maps: F32) -> U8:
    """Return 8-bit pictures ``(n, h, w, c)`` with an affine map of channels each applied."""
    out = np.einsum("nhwc,ndc->nhwd", images.astype(np.float32), maps[:, :, :-1])
    return np.clip(np.rint(out + maps[:, None, None, :, -1]), 0, 255).astype(np.uint8)
