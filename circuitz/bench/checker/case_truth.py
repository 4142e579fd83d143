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

from circuitz.bench.checker.benchmark_case import Case
from circuitz.lexicon.lexicon import Lexicon

F32 = npt.NDArray[np.float32]
F64 = npt.NDArray[np.float64]

#: Response, in standard deviations: from here on a unit sees a concept, and up to here it does not.
SEES, BLIND = 0.9, 0.4
#: Share of a class: from here on it counts, and up to here it does not (the margin lies between).
COUNTS, NOTHING = 0.13, 0.07
_SWAPS = 6
_EACH = 50  # images a class that shares are read on


class Truth:
    """Truth of one case.

    Parameters
    ----------
    case
        The case.
    labelled
        Concepts that the concept set labels, where not all: words about others cannot be held
        against it either way.
    """

    def __init__(self, case: Case, labelled: Iterable[str] | None = None) -> None:
        self.case, self.base, self.world = case, case.base, case.base.world
        self.labelled = frozenset(self.world.concepts if labelled is None else labelled)
        self._seen: dict[tuple[int, float], frozenset[str]] = {}
        self.column = {name: i for i, name in enumerate(self.world.concepts)}

    # -- tables ---------------------------------------------------------------------------

    @cached_property
    def _effects(self) -> tuple[F64, F64]:
        """Changes of responses ``(c, u)`` and logits ``(c, k)`` that each concept makes."""
        fresh, count = self.base.fresh, len(self.world.concepts)
        assert fresh.concepts is not None
        assert fresh.pairs is not None
        units, logits = self.base.run(fresh.images)
        rows = np.unique(fresh.pairs[:, :2].reshape(-1, 2), axis=0)
        a, b = rows[:, 0], rows[:, 1]
        change = (fresh.concepts[a] - fresh.concepts[b])[:, :count].astype(np.float64)
        values = np.concatenate([units[a] - units[b], logits[a] - logits[b]], 1)
        found = np.asarray(np.linalg.lstsq(change, values, rcond=None)[0], np.float64)
        for group in self.world.groups:
            at = [self.column[name] for name in group]
            # Of two values each is what the other is not.
            middle = found[at][::-1] if len(at) == 2 else np.median(found[at], axis=0)
            found[at] = found[at] - middle
        return found[:, : units.shape[1]], found[:, units.shape[1] :]

    @cached_property
    def sees(self) -> F64:
        """``(u, c)``, see the module; 0 for a dead unit."""
        spread = self._fresh_units.std(0).astype(np.float64)
        return self._effects[0].T / np.where(spread > 1e-6, spread, np.inf)[:, None]

    @cached_property
    def _d(self) -> tuple[F32, npt.NDArray[np.int64], F32]:
        """Responses, labels and logits on images of D drawn for this."""
        data = self.base.drawn(self.base.seed + 600_000, _EACH)
        assert data.labels is not None
        units, logits = self.base.run(data.images)
        return units, data.labels, logits

    @cached_property
    def scale(self) -> F64:
        """``(k,)`` how much the margin of a class is higher on its images than on others."""
        _, labels, logits = self._d
        margin = _margin(logits)
        return np.array(
            [
                margin[labels == k, k].mean() - margin[labels != k, k].mean()
                for k in range(margin.shape[1])
            ]
        )

    @cached_property
    def makes(self) -> F64:
        """``(c, k)``, see the module."""
        change = self._effects[1]
        centred = change - np.median(change, axis=1, keepdims=True)
        return centred / np.where(np.abs(self.scale) > 0.5, self.scale, np.inf)

    def share(self, units: Iterable[int], k: int, *, alone: bool = False) -> float:
        """Return what units add to class ``k``; 0 where the network does not tell the class.

        Parameters
        ----------
        alone
            Count the class's own logit, relative to the middle one, not what rivals lose.
        """
        chosen = sorted(set(units))
        if not chosen or abs(self.scale[k]) <= 0.5:
            return 0.0
        responses, labels, _ = self._d
        draw = np.random.default_rng([self.base.seed, 31])
        others = np.repeat(np.flatnonzero(labels != k), _SWAPS)
        lent = draw.choice(np.flatnonzero(labels == k), len(others))
        before = responses[others]
        after = before.copy()
        after[:, chosen] = responses[lent][:, chosen]
        with torch.no_grad():
            x = torch.from_numpy(np.concatenate([before, after]))
            logits = self.base.network.head(x).numpy()
        if alone:
            change = logits[len(others) :] - logits[: len(others)]
            return float((change[:, k] - np.median(change, axis=1)).mean() / self.scale[k])
        margin = _margin(logits)[:, k]
        return float((margin[len(others) :] - margin[: len(others)]).mean() / self.scale[k])

    def carries(self, units: Iterable[int], concept: str, k: int) -> float:
        """Return how much of class ``k`` a concept makes through some units, in a paired render."""
        fresh = self.base.fresh
        assert fresh.pairs is not None
        rows = fresh.pairs[fresh.pairs[:, 2] == self.column[concept]]
        chosen = sorted(set(units))
        if not chosen or not len(rows) or abs(self.scale[k]) <= 0.5:
            return 0.0
        before = self._fresh_units[rows[:, 1]]
        after = before.copy()
        after[:, chosen] = self._fresh_units[rows[:, 0]][:, chosen]
        with torch.no_grad():
            logits = self.base.network.head(torch.from_numpy(np.concatenate([before, after])))
        change = logits.numpy()[len(rows) :] - logits.numpy()[: len(rows)]
        centred = change - np.median(change, axis=1, keepdims=True)
        return float(centred[:, k].mean() / self.scale[k])

    @cached_property
    def _fresh_units(self) -> F32:
        return self.base.run(self.base.fresh.images)[0]

    # -- words ----------------------------------------------------------------------------

    def seen(self, unit: int, at_least: float = SEES) -> frozenset[str]:
        """Concepts a unit responds to by so much."""
        if (unit, at_least) not in self._seen:
            row = self.sees[unit]
            found = frozenset(name for name, i in self.column.items() if row[i] >= at_least)
            self._seen[unit, at_least] = found
        return self._seen[unit, at_least]

    def named(self, unit: int) -> frozenset[str]:
        """Concepts the words on a unit name, with all that are kinds of them."""
        return frozenset(below for one in self.said(unit) for below in _with_kinds(one))

    def said(self, unit: int) -> tuple[str, ...]:
        """Concepts the words on a unit name."""
        return _parsed(self.base.words.get(unit, ""))

    def valid(self, unit: int) -> bool | None:
        """Whether the words on a unit are right; ``None`` when that is grey or there are none."""
        named = self.named(unit)
        if not self.base.words.get(unit) or not named & self.labelled:
            return None
        if named & self.seen(unit):
            return True
        return None if named & self.seen(unit, BLIND) else False

    def outside(self, concept: str, k: int) -> bool:
        """Whether a concept is no matter of class ``k``."""
        pair = (concept, self.world.classes[k])
        return concept in self.world.outside and pair not in self.case.belongs

    def drives(self, concept: str, k: int) -> float:
        """Share of class ``k`` that a concept makes on D, by presence or by absence."""
        return float(self.makes[self.column[concept], k]) * self.contrast(concept, k)

    def contrast(self, concept: str, k: int) -> float:
        """How much more often D shows a concept with class ``k`` than with the others."""
        return self.world.contrast(concept, self.world.classes[k], self.base.ties)


@cache
def lexicon() -> Lexicon:
    """Return the shipped one."""
    return Lexicon.load()


@cache
def _parsed(text: str) -> tuple[str, ...]:
    return tuple(lexicon().parse(text))


@cache
def _with_kinds(concept: str) -> tuple[str, ...]:
    return (concept, *lexicon().descendants(concept))


def _margin(logits: F32) -> F64:
    """Each logit less the mean of the others."""
    many = logits.astype(np.float64)
    count = many.shape[1]
    return (many - many.mean(1, keepdims=True)) * count / (count - 1)
