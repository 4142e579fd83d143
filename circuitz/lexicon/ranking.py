"""How well scores put what is legitimate above what is not."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata


def auroc(scores: Sequence[float], labels: Sequence[bool]) -> float:
    """Return the area under the ROC curve: the Mann–Whitney statistic, ties counting half.

    Parameters
    ----------
    scores, labels
        One for each pair of concept and class.

    Raises
    ------
    ValueError
        If the labels are all the same.
    """
    truth = np.asarray(labels, bool)
    true, false = int(truth.sum()), int((~truth).sum())
    if not true or not false:
        raise ValueError("Both labels have to occur.")
    ranks = rankdata(np.asarray(scores, float))
    return float((ranks[truth].sum() - true * (true + 1) / 2) / (true * false))
