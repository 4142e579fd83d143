"""Many tests at once: q values by Benjamini and Hochberg (1995)."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]


def benjamini_hochberg_q_values(p: npt.ArrayLike) -> F64:
    """Return Benjamini-Hochberg q-values (1995); NaN entries were not tested and stay NaN.

    Parameters
    ----------
    p
        p-values of one family, any shape.

    Returns
    -------
    Array of that shape: the smallest false discovery rate at which each would be rejected.
    """
    flat = np.asarray(p, np.float64).ravel()
    q = np.full(flat.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(flat))
    order = tested[np.argsort(flat[tested], kind="stable")]
    raw = flat[order] * len(order) / np.arange(1, len(order) + 1)
    q[order] = np.minimum(np.minimum.accumulate(raw[::-1])[::-1], 1.0)
    return q.reshape(np.shape(p))
