"""What is true of a case, whoever asks: read off what was planted and off renders nobody else sees.

Three tables, none of which the check has any part in:

- ``sees[u, c]``: by how many standard deviations the response of unit *u* rises when concept *c* is
  put into an image (paired renders, least squares over pairs; of concepts that exclude each other,
  relative to the middle one);
- ``makes[c, k]``: by how much logit *k* rises then, relative to the middle class, in shares of what
  tells the class from the others;
- ``share(units, k)``: what those units add to class *k* when they take the values they have on images
  of the class, on images of D that were drawn for this alone.

Between *clearly yes* and *clearly no* truth is grey: findings about it are left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache, cached_property

import numpy as np
import numpy.typing as npt
import torch

from circuitz.bench.checker.benchmark_case import CheckerCase
from circuitz.lexicon.column_names import column_names
from circuitz.lexicon.lexicon import Lexicon

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

#: Response, in standard deviations: from here on a unit sees a concept, and up to here it does not.
SEES, BLIND = 0.9, 0.4
#: Share of a class: from here on it counts, and up to here it does not (the margin lies between).
COUNTS, NOTHING = 0.13, 0.07
_SWAPS = 6
_EACH = 50  # images a class that shares are read on


class CaseTruth:
    """Truth of one case.

    Parameters
    ----------
    case
        The case.
    labelled
        Concepts that the concept set labels, where not all: words about others cannot be held
        against it either way.
    """

    def __init__(self, case: CheckerCase, labelled: Iterable[str] | None = None) -> None:
        self.case, self.base, self.world = case, case.base, case.base.world
        self.labelled = frozenset(self.world.concepts if labelled is None else labelled)
        self._seen_cache: dict[tuple[int, float], frozenset[str]] = {}
        self.column = {name: i for i, name in enumerate(self.world.concepts)}

    # -- tables ---------------------------------------------------------------------------

    @cached_property
    def _changes_made_by_concepts(self) -> tuple[F64, F64]:
        """Changes of responses ``(c, u)`` and logits ``(c, k)`` that each concept makes."""
        fresh, count = self.base.unseen_pairs, len(self.world.concepts)
        assert fresh.concepts is not None
        assert fresh.pairs is not None
        units, logits = self.base.responses_and_logits(fresh.images)
        rows = np.unique(fresh.pairs[:, :2].reshape(-1, 2), axis=0)
        a, b = rows[:, 0], rows[:, 1]
        change = (fresh.concepts[a] - fresh.concepts[b])[:, :count].astype(np.float64)
        values = np.concatenate([units[a] - units[b], logits[a] - logits[b]], 1)
        found = np.asarray(np.linalg.lstsq(change, values, rcond=None)[0], np.float64)
        for group in self.world.exclusive_concept_groups:
            at = [self.column[name] for name in group]
            # Of two values each is what the other is not.
            middle = found[at][::-1] if len(at) == 2 else np.median(found[at], axis=0)
            found[at] = found[at] - middle
        return found[:, : units.shape[1]], found[:, units.shape[1] :]

    @cached_property
    def unit_responses_to_concepts(self) -> F64:
        """``(u, c)``, see the module; 0 for a dead unit."""
        spread = self._responses_to_unseen_pairs.std(0).astype(np.float64)
        return (
            self._changes_made_by_concepts[0].T / np.where(spread > 1e-6, spread, np.inf)[:, None]
        )

    @cached_property
    def _unseen_responses_labels_logits(self) -> tuple[F32, npt.NDArray[np.int64], F32]:
        """Responses, labels and logits on images of D drawn for this."""
        data = self.base.draw_data(self.base.seed + 600_000, _EACH)
        assert data.labels is not None
        units, logits = self.base.responses_and_logits(data.images)
        return units, data.labels, logits

    @cached_property
    def margin_gap_by_class(self) -> F64:
        """``(k,)`` how much the margin of a class is higher on its images than on others."""
        _, labels, logits = self._unseen_responses_labels_logits
        margin = _logit_margins(logits)
        return np.array(
            [
                margin[labels == k, k].mean() - margin[labels != k, k].mean()
                for k in range(margin.shape[1])
            ]
        )

    @cached_property
    def concept_effects_on_classes(self) -> F64:
        """``(c, k)``, see the module."""
        change = self._changes_made_by_concepts[1]
        centred = change - np.median(change, axis=1, keepdims=True)
        return centred / np.where(
            np.abs(self.margin_gap_by_class) > 0.5, self.margin_gap_by_class, np.inf
        )

    def class_share_from_units(self, units: Iterable[int], k: int, *, alone: bool = False) -> float:
        """Return what units add to class ``k``; 0 where the network does not tell the class.

        Parameters
        ----------
        alone
            Count the class's own logit, relative to the middle one, not what rivals lose.
        """
        chosen = sorted(set(units))
        if not chosen or abs(self.margin_gap_by_class[k]) <= 0.5:
            return 0.0
        responses, labels, _ = self._unseen_responses_labels_logits
        draw = np.random.default_rng([self.base.seed, 31])
        others = np.repeat(np.flatnonzero(labels != k), _SWAPS)
        lent = draw.choice(np.flatnonzero(labels == k), len(others))
        before = responses[others]
        after = before.copy()
        after[:, chosen] = responses[lent][:, chosen]
        with torch.no_grad():
            x = torch.from_numpy(np.concatenate([before, after]))
            logits = self.base.noisy_network.head(x).numpy()
        if alone:
            change = logits[len(others) :] - logits[: len(others)]
            return float(
                (change[:, k] - np.median(change, axis=1)).mean() / self.margin_gap_by_class[k]
            )
        margin = _logit_margins(logits)[:, k]
        return float(
            (margin[len(others) :] - margin[: len(others)]).mean() / self.margin_gap_by_class[k]
        )

    def concept_share_through_units(self, units: Iterable[int], concept: str, k: int) -> float:
        """Return how much of class ``k`` a concept makes through some units, in a paired render."""
        fresh = self.base.unseen_pairs
        assert fresh.pairs is not None
        rows = fresh.pairs[fresh.pairs[:, 2] == self.column[concept]]
        chosen = sorted(set(units))
        if not chosen or not len(rows) or abs(self.margin_gap_by_class[k]) <= 0.5:
            return 0.0
        before = self._responses_to_unseen_pairs[rows[:, 1]]
        after = before.copy()
        after[:, chosen] = self._responses_to_unseen_pairs[rows[:, 0]][:, chosen]
        with torch.no_grad():
            logits = self.base.noisy_network.head(torch.from_numpy(np.concatenate([before, after])))
        change = logits.numpy()[len(rows) :] - logits.numpy()[: len(rows)]
        centred = change - np.median(change, axis=1, keepdims=True)
        return float(centred[:, k].mean() / self.margin_gap_by_class[k])

    @cached_property
    def _responses_to_unseen_pairs(self) -> F32:
        return self.base.responses_and_logits(self.base.unseen_pairs.images)[0]

    # -- words ----------------------------------------------------------------------------

    def concepts_seen_by_unit(self, unit: int, at_least: float = SEES) -> frozenset[str]:
        """Concepts a unit responds to by so much."""
        if (unit, at_least) not in self._seen_cache:
            row = self.unit_responses_to_concepts[unit]
            found = frozenset(name for name, i in self.column.items() if row[i] >= at_least)
            self._seen_cache[unit, at_least] = found
        return self._seen_cache[unit, at_least]

    def named_concepts_and_kinds(self, unit: int) -> frozenset[str]:
        """Concepts the words on a unit name, with all that are kinds of them."""
        names = self.world.concepts
        said = _read_words(self.base.words.get(unit, ""), names)
        columns = {names[column] for _, told in said for column in told}
        below = {kind for one, _ in said for kind in _concept_and_descendants(one)}
        return frozenset(columns | below)

    def concepts_named_on_unit(self, unit: int) -> tuple[str, ...]:
        """Concepts the words on a unit name."""
        return tuple(
            name for name, _ in _read_words(self.base.words.get(unit, ""), self.world.concepts)
        )

    def words_are_valid(self, unit: int) -> bool | None:
        """Whether the words on a unit are right; ``None`` when that is grey or there are none."""
        named = self.named_concepts_and_kinds(unit)
        if not self.base.words.get(unit) or not named & self.labelled:
            return None
        if named & self.concepts_seen_by_unit(unit):
            return True
        return None if named & self.concepts_seen_by_unit(unit, BLIND) else False

    def is_irrelevant_to_class(self, concept: str, k: int) -> bool:
        """Whether a concept is no matter of class ``k``."""
        pair = (concept, self.world.classes[k])
        return (
            concept in self.world.concepts_outside_subject
            and pair not in self.case.legitimate_pairs
        )

    def concept_drive_on_data(self, concept: str, k: int) -> float:
        """Share of class ``k`` that a concept makes on D, by presence or by absence."""
        return float(
            self.concept_effects_on_classes[self.column[concept], k]
        ) * self.excess_frequency_with_class(concept, k)

    def excess_frequency_with_class(self, concept: str, k: int) -> float:
        """How much more often D shows a concept with class ``k`` than with the others."""
        return self.world.excess_frequency_with_class(
            concept, self.world.classes[k], self.base.ties
        )


@cache
def cached_shipped_lexicon() -> Lexicon:
    """Return the shipped one."""
    return Lexicon.load()


@cache
def _read_words(text: str, names: tuple[str, ...]) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the concepts that words name, a world's own names first, each with their places."""
    return column_names(names, cached_shipped_lexicon()).read(text).concepts


@cache
def _concept_and_descendants(concept: str) -> tuple[str, ...]:
    return (concept, *cached_shipped_lexicon().descendants(concept))


def _logit_margins(logits: F32) -> F64:
    """Each logit less the mean of the others."""
    many = logits.astype(np.float64)
    count = many.shape[1]
    return (many - many.mean(1, keepdims=True)) * count / (count - 1)
