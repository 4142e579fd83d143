"""What M_L_test should see of pictures: z*'s annotated units, or features made without z*."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import LabellingError
from circuitz.labelling.labels.answers import Answers, validate_and_normalise_answers
from circuitz.labelling.labels.label_model import LabelModel, fit_label_model

F64 = npt.NDArray[np.float64]
_SIDE = 6


@dataclass(frozen=True, eq=False)
class TrunkResult:
    """M_L_test learned from some of the answers, with one kind of features.

    Parameters
    ----------
    trunk
        Name of the features.
    answers
        Answers learned from.
    agreement
        Share of the answers not learned from that are as foretold; ``None`` where none is left.
    model
        What was learned.
    predicted
        ``(n,)`` class of every input, for whoever holds the truth.
    """

    trunk: str
    answers: int
    agreement: float | None
    model: LabelModel
    predicted: npt.NDArray[np.int64]

    def to_json(self) -> dict[str, Any]:
        """Return what a table would tell."""
        return {
            "trunk": self.trunk, "answers": self.answers, "agreement": self.agreement,
            "form": self.model.form,
        }  # fmt: skip


def compare_trunks(
    trunks: Mapping[str, npt.ArrayLike],
    answers: npt.ArrayLike | Answers,
    classes: Sequence[str],
    *,
    item: npt.ArrayLike | None = None,
    rater: Sequence[str] | None = None,
    sizes: Sequence[int] = (50, 100, 200),
    seed: int = 0,
) -> tuple[TrunkResult, ...]:
    """Learn from the answers alone with several kinds of features, at several numbers of answers.

    Parameters
    ----------
    trunks
        Features by name, ``(n, f)`` each over the same inputs: for instance ``shared``, responses
        of z*'s annotated units, and ``separate``, :func:`picture_features`.
    answers, item, rater
        See :func:`circuitz.labelling.labels.answers.validate_and_normalise_answers`.
    classes
        The classes.
    sizes
        Numbers of answers; larger ones than there are answers are left out.
    seed
        Draws which answers, the same for every kind; those of a smaller number are among those of a
        larger one.

    Raises
    ------
    LabellingError
        If features do not cover the same inputs, or there are fewer answers than any size.
    """
    features = {name: np.asarray(x, np.float64) for name, x in trunks.items()}
    lengths = {len(x) for x in features.values()}
    if len(lengths) != 1:
        raise LabellingError("The trunks have features of different inputs.", "Give one row each.")
    n = lengths.pop()
    given = validate_and_normalise_answers(answers, n, len(classes), item=item, rater=rater)
    usable = [size for size in sizes if 2 <= size <= len(given)]
    if not usable:
        raise LabellingError(
            f"{len(given)} answers are fewer than any of {', '.join(map(str, sizes))}.",
            "Ask for more answers, or give smaller numbers.",
        )
    order = np.random.default_rng(seed).permutation(len(given))
    nothing = np.zeros((n, len(classes)))
    found: list[TrunkResult] = []
    for size in usable:
        learn, left = _subset(given, order[:size]), _subset(given, order[size:])
        # Whoever was asked about the same input again must not be foretold by their own answer.
        left = _subset(left, np.flatnonzero(~np.isin(left.item, learn.item)))
        for name, x in features.items():
            model = fit_label_model(x, nothing, learn, classes, seed, offset=False)
            predicted = model.predict(x, nothing)
            right = left.shares[np.arange(len(left)), predicted[left.item]]
            agreement = round(float(right.mean()), 4) if len(left) else None
            found.append(TrunkResult(name, size, agreement, model, predicted))
    return tuple(found)


def picture_features(images: npt.NDArray[np.uint8]) -> F64:
    """Return features of pictures that no network made: colours and edges of a coarse grid.

    Parameters
    ----------
    images
        ``(n, height, width, channels)`` uint8.

    Returns
    -------
    ndarray
        ``(n, f)`` float64: mean of every channel, and mean size of brightness steps, in each of
        6 × 6 cells.

    Raises
    ------
    LabellingError
        If pictures have another shape, or are smaller than the grid.
    """
    if images.ndim != 4 or min(images.shape[1:3]) < _SIDE:
        raise LabellingError(
            f"Pictures {images.shape} have no grid of {_SIDE} × {_SIDE} cells.",
            "Give (n, height, width, channels).",
        )
    plain = images.astype(np.float64) / 255
    bright = plain.mean(3)
    steps = np.zeros_like(bright)
    steps[:, 1:] += np.abs(np.diff(bright, axis=1))
    steps[:, :, 1:] += np.abs(np.diff(bright, axis=2))
    layers = np.concatenate([plain, steps[..., None]], 3)
    rows = np.linspace(0, images.shape[1], _SIDE + 1).astype(int)
    columns = np.linspace(0, images.shape[2], _SIDE + 1).astype(int)
    cells = [
        layers[:, a:b, c:d].mean((1, 2))
        for a, b in itertools.pairwise(rows)
        for c, d in itertools.pairwise(columns)
    ]
    return np.concatenate(cells, 1)


def _subset(answers: Answers, keep: npt.NDArray[np.int64]) -> Answers:
    return Answers(answers.shares[keep], answers.item[keep], answers.rater[keep], answers.raters)
