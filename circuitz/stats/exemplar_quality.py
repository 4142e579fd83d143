"""Does a unit mean one thing? Scores from embeddings of its exemplars (SemanticLens, 2025).

Embeddings are centred on the mean of all inputs first: through a rectified layer every pair of
images looks alike, and every unit would look clear. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

_ROUNDS = 12


@dataclass(frozen=True, eq=False)
class ExemplarQuality:
    """Scores of ``u`` units; NaN for a unit with fewer than two exemplars.

    Parameters
    ----------
    clarity
        ``(u,)`` mean cosine between two of the unit's exemplars: 1 when all look the same.
    polysemanticity
        ``(u,)`` one less the cosine between the centres of two groups of them: near 0 when there
        is one meaning, 1 and more when there are two.
    redundancy
        ``(u,)`` largest cosine between the unit's mean exemplar and that of another unit.
    """

    clarity: F32
    polysemanticity: F32
    redundancy: F32


def exemplar_quality(
    vectors: npt.NDArray[np.floating], present: npt.NDArray[np.bool_]
) -> ExemplarQuality:
    """Score units.

    Parameters
    ----------
    vectors
        ``(u, e, d)`` centred embeddings of each unit's exemplars.
    present
        ``(u, e)`` which of them exist.
    """
    v = np.where(present[..., None], vectors, 0.0).astype(np.float64)
    v /= np.maximum(np.linalg.norm(v, axis=2, keepdims=True), 1e-12)
    n = present.sum(1).astype(np.float64)
    enough = n >= 2
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = v.sum(1) / n[:, None]
        clarity = ((mean**2).sum(1) - 1 / n) * n / (n - 1)
    split = 1 - _cosine_between_kmeans_centres(v, present)
    mean = np.nan_to_num(mean)
    mean /= np.maximum(np.linalg.norm(mean, axis=1, keepdims=True), 1e-12)
    alike = mean @ mean.T
    alike[:, ~enough] = -np.inf
    np.fill_diagonal(alike, -np.inf)
    redundancy = alike.max(1, initial=-np.inf)
    known = enough & np.isfinite(redundancy)
    return ExemplarQuality(
        np.where(enough, clarity, np.nan).astype(np.float32),
        np.where(enough, split, np.nan).astype(np.float32),
        np.where(known, redundancy, np.nan).astype(np.float32),
    )


def _cosine_between_kmeans_centres(v: F64, present: npt.NDArray[np.bool_]) -> F64:
    """Return the cosine between the centres of two clusters of each unit's vectors (k-means).

    A centre is a weighted sum of the vectors, so that all is told from their dot products: that
    there are hundreds of dimensions costs one product of matrices.
    """
    units = np.arange(len(v))
    dots = v @ v.transpose(0, 2, 1)
    alike = dots.copy()
    alike[~present] = np.inf
    alike.transpose(0, 2, 1)[~present] = np.inf
    # Begin at the two that are least alike.
    first, second = np.unravel_index(alike.reshape(len(v), -1).argmin(1), alike.shape[1:])
    weights = np.zeros((len(v), 2, v.shape[1]))
    weights[units, 0, first], weights[units, 1, second] = 1.0, 1.0
    before = None
    for _ in range(_ROUNDS):
        # Squared distances to the two centres, less the vectors' own lengths.
        towards = weights @ dots
        length = (towards * weights).sum(2)
        far = length[..., None] - 2 * towards
        mine = (far.argmin(1)[:, None] == np.arange(2)[:, None]) & present[:, None]
        if before is not None and np.array_equal(mine, before):
            break
        size = mine.sum(2, keepdims=True)
        weights = np.where(size > 0, mine / np.maximum(size, 1), weights)
        before = mine
    between = weights @ dots @ weights.transpose(0, 2, 1)
    lengths = np.sqrt(np.maximum(between[:, 0, 0] * between[:, 1, 1], 0))
    return between[:, 0, 1] / np.maximum(lengths, 1e-12)
