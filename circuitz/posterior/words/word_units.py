"""The units that bear a word together: where they are active, and what they do to a class there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from circuitz.z.columns_of_concept_set import columns_of_concept_set
from circuitz.z.edits.annotate import default_lexicon
from circuitz.z.inputs import SPLITS, InputSet
from circuitz.z.measurements import Measurements

F64 = npt.NDArray[np.float64]
# A unit is off in the half of the concept set with its lowest responses, on in the 15 % with its
# highest, as where its drive is measured.
ON_SHARE, OFF_SHARE = 0.15, 0.50
# The middles of both.
_OFF, _ON = OFF_SHARE / 2, 1 - ON_SHARE / 2
#: From this share of a class's whole effect a cue is more than slight.
LEAST_DRIVE = 0.08
_LEAST_LABELS = 5
_NOTHING = 1e-9


@dataclass(frozen=True, eq=False)
class WordUnits:
    """Units of the cut that bear one word, taken together.

    Their joint level on a picture is the sum of their activities, each times the most that it
    drives a class. They are *active* where it is as high as on the 15 % of the concept set where
    it is highest (on fewer, where fewer show the word), *silent* where it is as low as on the half
    where it is lowest; in between they say neither.

    Parameters
    ----------
    word, units
        The word, and the units, sorted.
    columns
        ``(v,)`` which columns of responses they are; units that never change are left out.
    off, on
        ``(v,)`` responses where each is off and on.
    drive
        ``(v, k)`` what each does to each class when it goes from off to on, in shares.
    silent_to, active_from
        Joint levels up to which they are silent, and from which they are active.
    labels
        ``(n,)`` labels of the word in the concept set, NaN where there is none.
    """

    word: str
    units: tuple[str, ...]
    columns: npt.NDArray[np.int64]
    off: F64
    on: F64
    drive: F64
    silent_to: float
    active_from: float
    labels: F64

    def activity(self, responses: npt.NDArray[Any]) -> F64:
        """``(n, v)`` activity of each unit: 0 where it is off or below, 1 where it is on."""
        mine = responses[:, self.columns].astype(np.float64)
        return np.maximum((mine - self.off) / (self.on - self.off), 0.0)

    def joint_level(self, responses: npt.NDArray[Any]) -> F64:
        """``(n,)`` activities of all units together, each by what it drives."""
        driven = self.drive[:, self.classes_driven] if self.classes_driven.any() else self.drive
        weights = np.abs(driven).max(1, initial=0.0)
        return self.activity(responses) @ (weights if weights.any() else np.ones(len(weights)))

    def active_mask(self, responses: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """``(n,)`` whether the units say that the word is there."""
        level = self.joint_level(responses)
        return (level >= self.active_from) & (level > self.silent_to + _NOTHING)

    def leaning_mask(self, responses: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """``(n,)`` whether they are active, or nearer to active than to silent."""
        level = self.joint_level(responses)
        half_way = (self.silent_to + max(self.silent_to, self.active_from)) / 2
        return (level >= half_way) & (level > self.silent_to + _NOTHING)

    def silent_mask(self, responses: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """``(n,)`` whether the units say that it is not there."""
        return self.joint_level(responses) <= self.silent_to + _NOTHING

    def contributions(self, responses: npt.NDArray[Any]) -> F64:
        """``(n, k)`` size of what the units add to each class's margin, in shares."""
        return np.abs(self.activity(responses) @ self.drive)

    @property
    def classes_driven(self) -> npt.NDArray[np.bool_]:
        """``(k,)`` classes that the units drive by more than slightly."""
        return np.abs(self.drive.sum(0)) >= LEAST_DRIVE


def make_word_units(
    word: str,
    units: Sequence[str],
    measured: Measurements,
    concept_set: InputSet,
    classes: Sequence[str],
) -> WordUnits:
    """Calibrate the units of a word on the concept set's *select*.

    Parameters
    ----------
    word
        The concept, as the concept set calls it.
    units
        Units of the cut, all of one layer.
    classes
        In the order of the network's outputs.
    """
    layer = units[0].rpartition(":")[0]
    responses = measured.layers[layer].responses.astype(np.float64)
    labels = labels_of_word(concept_set, word)
    select = _select_rows(concept_set)
    responses, shown = responses[select], labels[select]
    columns = np.array([int(unit.rpartition(":")[2]) for unit in units], np.int64)
    off, on = np.quantile(responses[:, columns], [_OFF, _ON], axis=0)
    live = on - off > _NOTHING
    kept = [unit for unit, alive in zip(units, live, strict=True) if alive]
    drive = _drive_on_classes(measured, kept, classes)
    found = WordUnits(
        word, tuple(sorted(units)), columns[live], off[live], on[live], drive, 0.0, 0.0, labels
    )
    level = found.joint_level(responses)
    word_share = float(np.nanmean(shown)) if np.isfinite(shown).any() else ON_SHARE
    # Where few pictures show the word, or nearly all do, fewer are those that are clearly so.
    on_share = min(ON_SHARE, max(word_share, 1 / len(level)))
    off_share = min(OFF_SHARE, max(1 - word_share, 1 / len(level)))
    return replace(
        found,
        silent_to=float(np.quantile(level, off_share)),
        active_from=float(np.quantile(level, 1 - on_share)),
    )


def _select_rows(concept_set: InputSet) -> npt.NDArray[np.int64]:
    """Rows of *select*; all where the set is not split, or none of it is on select."""
    if concept_set.split is None:
        return np.arange(len(concept_set))
    rows = np.flatnonzero(concept_set.split == SPLITS.index("select"))
    return rows if len(rows) else np.arange(len(concept_set))


def labels_of_word(concept_set: InputSet, word: str) -> F64:
    """``(n,)`` labels of a word in the concept set; NaN throughout where it labels none such."""
    none = np.full(len(concept_set), np.nan)
    if concept_set.concepts is None:
        return none
    names = columns_of_concept_set(concept_set, default_lexicon()).concept_of
    mine = [i for i, name in enumerate(names) if name == word]
    if not mine:
        return none
    labels = concept_set.concepts[:, mine].astype(np.float64)
    # Columns that are one concept complete each other; where they differ nothing is known.
    low, high = np.fmin.reduce(labels, axis=1), np.fmax.reduce(labels, axis=1)
    return np.where(low == high, low, np.nan)


def fit_word_probe(
    word_units: WordUnits, concept_set: InputSet, reference: npt.NDArray[Any]
) -> Callable[[npt.NDArray[Any]], F64]:
    """Return how likely a linear probe of the whole cut finds the word, as a function of responses.

    The probe is a logistic regression of the word's labels on the cut's standardised responses to
    the concept set's *select*. Where too few pictures are labelled, it expects the word nowhere.

    Parameters
    ----------
    reference
        ``(n, u)`` the cut's responses to the concept set.
    """
    select = _select_rows(concept_set)
    labelled = select[np.isin(word_units.labels[select], (0.0, 1.0))]
    shown = word_units.labels[labelled]
    if min((shown == 1).sum(), (shown == 0).sum()) < _LEAST_LABELS:
        return lambda responses: np.zeros(len(responses))
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415 - takes a second
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415
    from sklearn.preprocessing import StandardScaler  # noqa: PLC0415

    probe: Any = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    probe.fit(reference[labelled].astype(np.float64), shown.astype(np.int64))
    return lambda responses: np.asarray(
        probe.predict_proba(responses.astype(np.float64))[:, 1], np.float64
    )


def _drive_on_classes(measured: Measurements, units: Sequence[str], classes: Sequence[str]) -> F64:
    """``(v, k)`` drives of units on classes, 0 where they were not measured."""
    drive = np.zeros((len(units), len(classes)))
    effects = measured.effects
    if effects is None:
        return drive
    column = {name: i for i, name in enumerate(effects.targets)}
    for v, unit in enumerate(units):
        for k, name in enumerate(classes):
            if unit in effects.unit_index and name in column:
                drive[v, k] = effects.drive[effects.unit_index[unit], column[name]]
    return np.nan_to_num(drive)
