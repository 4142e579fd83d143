"""Donors whose labels say the same are told further apart by the colours of what they lend.

Where only snow and grass are labelled, sand, water and a floor are all "neither": completed from one
another, they would make grounds that exist nowhere.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]

# Groups that donors of one label are divided into at most, and the fewest donors of a group.
_GROUPS, _FEWEST = 6, 12


def split_by_colour(images: U8, regions: Bool, alike: I64, seed: int = 0) -> I64:
    """Return a finer grouping of donors.

    Parameters
    ----------
    images, regions
        ``(m, h, w, c)`` uint8 donors, and ``(m, h, w)`` what each lends.
    alike
        ``(m,)`` int64: donors with the same number carry the same labels.
    seed
        Of the clusters' starts.

    Returns
    -------
    ``(m,)`` int64: donors with the same number carry the same labels and lend like colours.
    """
    weight = regions.astype(np.float64)[..., None]
    area = np.maximum(weight.sum((1, 2)), 1.0)
    mean = (images * weight).sum((1, 2)) / area
    spread = np.sqrt((np.square(images - mean[:, None, None]) * weight).sum((1, 2)) / area)
    colours = np.concatenate([mean, spread], 1)
    out = np.zeros_like(alike)
    for number in np.unique(alike):
        rows = np.flatnonzero(alike == number)
        groups = min(_GROUPS, len(rows) // _FEWEST)
        found = np.zeros(len(rows), np.int64)
        if groups > 1:
            found = KMeans(groups, random_state=seed).fit_predict(colours[rows])
        out[rows] = found + (out.max() + 1)
    return out
