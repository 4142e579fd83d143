"""Effects over pairs of images, less what else differs between the two.

Images that were matched differ in more than the concept: one wears a collar, the other has other
ears. On average that is nothing, on forty pairs it is not. So the labels that differ by chance are
covariates: a ridge regression of the effects on them, fitted without the split judged (so that a
verdict owes nothing to its own images), its penalty chosen by generalised cross-validation
(Golub, Heath and Wahba 1979), and what it expects of the differences is taken off. What comes or
goes along with the concept is no covariate: it belongs to what is asked. Counterfactuals differ in
nothing else and stay as they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from weakref import WeakKeyDictionary

import numpy as np
import numpy.typing as npt

from circuitz.z.inputs import InputSet
from circuitz.z.measurements import ConceptEffects

F64 = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

#: Penalties tried, in pairs that differ in a label; the last leaves all as it is.
_PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, np.inf)


@dataclass(frozen=True, eq=False)
class Covariates:
    """What differs by chance in the pairs of one concept, taken apart once for all effects.

    Parameters
    ----------
    fit
        ``(t,)`` whether a pair is among those fitted.
    vectors, sizes
        Eigenvectors ``(n, n)`` and eigenvalues ``(n,)`` of the products of the fitted pairs'
        differences, centred.
    products
        ``(t, n)`` products of every pair's differences with those.
    """

    fit: npt.NDArray[np.bool_]
    vectors: F64
    sizes: F64
    products: F64

    def subtract_explained(self, values: F64) -> F64:
        """Return ``(t, k)`` values less what the differences explain."""
        n = int(self.fit.sum())
        if not self.sizes.any():
            return values
        wanted = np.nan_to_num(values[self.fit] - values[self.fit].mean(0))
        turned = self.vectors.T @ wanted
        best, least = np.inf, np.inf
        for penalty in _PENALTIES:
            left = 1 - self.sizes / (self.sizes + penalty)
            # One more degree of freedom is the mean's.
            free = max(float(left.sum()) - 1, 1e-9) / n
            error = float(np.square(left[:, None] * turned).sum()) / n / free**2
            if error < least:
                best, least = penalty, error
        if np.isinf(best):
            return values
        return values - self.products @ (self.vectors @ (turned / (self.sizes + best)[:, None]))


_KEPT: WeakKeyDictionary[ConceptEffects, dict[tuple[int, int], Covariates]] = WeakKeyDictionary()


def cached_pair_covariates(
    effects: ConceptEffects,
    concept_set: InputSet,
    c: int,
    rows: Rows,
    co_changing: Sequence[int],
    judged: int,
) -> Covariates:
    """Take the differences of a concept's pairs apart.

    Parameters
    ----------
    effects, concept_set
        What was measured, and on what.
    c, rows
        Place of the concept, and its pairs.
    co_changing
        Columns that come and go with it.
    judged
        Index of the split whose pairs are not fitted.
    """
    kept = _KEPT.setdefault(effects, {})
    if (c, judged) not in kept:
        kept[c, judged] = _decompose_pair_differences(
            effects, concept_set, rows, co_changing, judged
        )
    return kept[c, judged]


def _decompose_pair_differences(
    effects: ConceptEffects,
    concept_set: InputSet,
    rows: Rows,
    co_changing: Sequence[int],
    judged: int,
) -> Covariates:
    labels = concept_set.concepts
    assert labels is not None
    differ = labels[effects.present[rows]] - labels[effects.absent[rows]]
    differ = np.nan_to_num(np.delete(differ, list(co_changing), 1).astype(np.float64))
    fit = np.asarray(effects.split[rows] != judged, bool)
    own = differ[fit]
    if not len(own):
        return Covariates(fit, np.zeros((0, 0)), np.zeros(0), np.zeros((len(rows), 0)))
    centred = own - own.mean(0)
    sizes, vectors = np.linalg.eigh(centred @ centred.T)
    return Covariates(fit, vectors, np.maximum(sizes, 0.0), differ @ centred.T)
