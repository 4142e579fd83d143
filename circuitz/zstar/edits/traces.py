"""Whether simple statistics of pictures still tell a concept that was taken out of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from circuitz.zstar.edits.recolour import colour_features

U8 = npt.NDArray[np.uint8]
F64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
#: A teller that does worse than this before, or better than that after, speaks against an edit.
TOLD_BEFORE, TOLD_AFTER = 0.95, 0.60
_BLOCKS = 8
_BATCH = 128


def area_under_curve(scores: F64, shows: Bool) -> float:
    """Return the area under the ROC curve; NaN where all show the same."""
    return float(roc_auc_score(shows, scores)) if len(np.unique(shows)) == 2 else float("nan")


@dataclass(frozen=True, eq=False)
class TraceTeller:
    """Tells by colours, and by what stands out from its neighbours, whether pictures show a concept."""

    fitted: Pipeline

    def scores(self, images: U8) -> F64:
        """Return log-odds, ``(n,)``."""
        if not len(images):
            return np.zeros(0)
        return np.asarray(self.fitted.decision_function(_trace_features(images)), np.float64)


def fit_trace_teller(images: U8, shows: Bool) -> TraceTeller:
    """Fit a logistic regression on block means of colours and of details.

    Parameters
    ----------
    images, shows
        Pictures ``(n, h, w, c)``, and whether they show the concept.
    """
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500))
    return TraceTeller(fitted.fit(_trace_features(images), shows))


def area_of_trace_teller(images: U8, shows: Bool, unseen: U8, unseen_shows: Bool) -> float:
    """Return how well pictures are told by their traces, on unseen ones; .5: no trace is left."""
    return area_under_curve(fit_trace_teller(images, shows).scores(unseen), unseen_shows)


def _trace_features(images: U8) -> F64:
    parts: list[F64] = []
    for i in range(0, len(images), _BATCH):
        some = np.asarray(images[i : i + _BATCH])
        x = some.astype(np.float32) / 255.0
        around = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="edge")
        cross = around[:, :-2, 1:-1] + around[:, 2:, 1:-1] + around[:, 1:-1, :-2]
        detail = np.abs(x - (cross + around[:, 1:-1, 2:]) / 4)
        blocks = [_block_means(x).reshape(len(x), -1), _block_means(detail).reshape(len(x), -1)]
        parts.append(np.concatenate([colour_features(some), *blocks], 1).astype(np.float64))
    return np.concatenate(parts)


def _block_means(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    rows = np.array_split(np.arange(x.shape[1]), min(_BLOCKS, x.shape[1]))
    columns = np.array_split(np.arange(x.shape[2]), min(_BLOCKS, x.shape[2]))
    return np.stack(
        [x[:, r[0] : r[-1] + 1, c[0] : c[-1] + 1].mean((1, 2)) for r in rows for c in columns], 1
    )
