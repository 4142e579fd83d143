"""Choose which inputs of D′ people are asked about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.errors import LabellingError

MOST = 200


@dataclass(frozen=True, eq=False)
class Questions:
    """The inputs asked about, in the order they are asked.

    Parameters
    ----------
    rows
        ``(m,)`` int64 indices into D′.
    uncertain
        ``(m,)`` bool: chosen because z* is unsure, rather than at random.
    seed
        Seed of the choice and the order.
    pool
        How many inputs could have been chosen.
    """

    rows: npt.NDArray[np.int64]
    uncertain: npt.NDArray[np.bool_]
    seed: int
    pool: int

    def __len__(self) -> int:
        return len(self.rows)

    def unasked_rows(self) -> npt.NDArray[np.int64]:
        """Return the indices of the inputs that are never asked about."""
        return np.setdiff1d(np.arange(self.pool), self.rows)

    def to_json(self) -> dict[str, Any]:
        """Return the choice as JSON values."""
        return {
            "rows": self.rows.tolist(),
            "uncertain": self.uncertain.tolist(),
            "seed": self.seed,
            "pool": self.pool,
        }


def choose_questions(
    logits: npt.NDArray[Any], n: int = MOST, *, seed: int = 0, uncertain: float = 0.25
) -> Questions:
    """Choose questions, equally many of each class that z* predicts.

    Within a class a share is chosen where z* is least sure (smallest gap between the two largest
    log-probabilities) and the others at random: the sure ones tell how people read the card, the
    unsure ones where they help most. Nothing of D′ but z*'s own outputs is used.

    Parameters
    ----------
    logits
        ``(N, k)`` z*'s outputs on D′.
    n
        Questions; all inputs if there are fewer.
    seed
        Seed of the choice and the order.
    uncertain
        Share chosen by uncertainty.

    Raises
    ------
    LabellingError
        If there is nothing to choose from, or a number is out of range.
    """
    scores = np.asarray(logits, np.float64)
    if scores.ndim != 2 or not len(scores) or scores.shape[1] < 2:
        raise LabellingError(f"Outputs of shape {scores.shape} give no questions.", "Run z on D′.")
    if not np.isfinite(scores).all():
        raise LabellingError("Some outputs of z are not finite.", "Check the network's weights.")
    if n < 1 or not 0 <= uncertain <= 1:
        raise LabellingError(
            f"{n} questions with a share of {uncertain} unsure ones.", "Ask for 1 or more."
        )
    rng = np.random.default_rng(seed)
    predicted = scores.argmax(1)
    top = np.sort(scores, axis=1)
    gap = top[:, -1] - top[:, -2]
    rows: list[int] = []
    unsure: list[bool] = []
    for k, quota in _share_out_quotas_by_class(
        np.bincount(predicted, minlength=scores.shape[1]), n
    ).items():
        here = rng.permutation(np.flatnonzero(predicted == k))
        few = round(uncertain * quota)
        by_gap = here[np.argsort(gap[here], kind="stable")]
        first = by_gap[:few]
        others = here[~np.isin(here, first)][: quota - few]
        rows += [*first.tolist(), *others.tolist()]
        unsure += [True] * len(first) + [False] * len(others)
    order = rng.permutation(len(rows))
    return Questions(
        np.array(rows, np.int64)[order], np.array(unsure, bool)[order], seed, len(scores)
    )


def _share_out_quotas_by_class(available: npt.NDArray[np.int64], n: int) -> dict[int, int]:
    """Share n out equally; what a small class cannot use goes to the others."""
    quotas = np.zeros(len(available), np.int64)
    left = min(n, int(available.sum()))
    while left:
        open_ = np.flatnonzero(quotas < available)
        step = max(left // len(open_), 1)
        for k in open_.tolist():
            more = min(step, int(available[k] - quotas[k]), left)
            quotas[k] += more
            left -= more
    return {k: int(q) for k, q in enumerate(quotas.tolist()) if q}
