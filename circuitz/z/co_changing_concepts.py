"""What else changes between images that differ in a concept.

Where an animal stands on snow it does not stand on grass: a pair that differs in snow mostly
differs in another ground too, and units that see that ground do their work openly.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from circuitz.z.inputs import InputSet

#: Mean difference of a concept's label from which on it goes along, and how many standard errors
#: that must be: pairs that are not perfectly matched differ, but not all the same way, and each of
#: many concepts is asked about each other.
ALONG, SURE = 0.1, 4.0


def co_changing_concepts(
    concept_set: InputSet, present: npt.NDArray[np.int64], absent: npt.NDArray[np.int64]
) -> tuple[int, ...]:
    """Return the concept columns whose label rises or falls with the concept, itself included.

    Parameters
    ----------
    present, absent
        ``(t,)`` indices of the images of each pair.
    """
    if concept_set.concepts is None or not len(present):
        return ()
    differ = concept_set.concepts[present] - concept_set.concepts[absent]
    known = np.isfinite(differ)
    n = np.maximum(known.sum(0), 1)
    mean = np.where(known, differ, 0.0).sum(0) / n
    error = np.sqrt(np.where(known, (differ - mean) ** 2, 0.0).sum(0)) / n
    along = (np.abs(mean) > ALONG) & (np.abs(mean) > SURE * error)
    return tuple(int(j) for j in np.flatnonzero(along))
