"""What a text classifier does without some of the units it reads: SHIFT (Marks et al. 2024).

Units that a person, or the check, holds irrelevant are set to their mean over D, where what they say
tells nothing any more; then the probe may be fitted to D again, without them. Where a concept is
spread over more units than are named so, its linear trace can be erased from all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import torch

from circuitz.errors import InputsError
from circuitz.evaluation.group_cells import Evaluation, evaluate
from circuitz.evaluation.probe_inputs import read_units, spoken
from circuitz.lexicon.lexicon import Lexicon
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.fit_probe import Reading, fit_probe, pooled
from circuitz.plausibility.rules.outside_claims import KINDS as OUTSIDE_KINDS
from circuitz.responses.directions.linear_erasure import Eraser
from circuitz.z.bases import basis_sizes
from circuitz.z.finding import Finding
from circuitz.z.model import AnnotatedModel
from circuitz.z.unit import Unit

I32 = npt.NDArray[np.int32]
I64 = npt.NDArray[np.int64]

#: Draws of as many other units, for comparison.
DRAWS: Final = 5
_CONTROL: Final = "its own concepts erased and fitted again (control)"


@dataclass(frozen=True, eq=False)
class Known:
    """Texts of known truth.

    Parameters
    ----------
    tokens
        ``(n, t)`` int32.
    labels
        ``(n,)`` index into the model's classes.
    groups, group_names
        ``(n, g)`` float32 of 1, 0 and NaN: what else is in a text.
    """

    tokens: I32
    labels: I64
    groups: npt.NDArray[np.float32]
    group_names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Without:
    """Scores with and without units.

    Parameters
    ----------
    units
        What was taken away.
    scores
        By name of what was done.
    chance
        Accuracy and worst cell without as many other units, a draw each.
    """

    units: tuple[str, ...]
    scores: dict[str, Evaluation]
    chance: tuple[tuple[float, float], ...]


def flagged_units(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return the units that a check flagged as driving a class they must not."""
    found = (f for f in findings if f.kind in OUTSIDE_KINDS and f.verdict == "flagged")
    return tuple(sorted({unit for f in found for unit in f.units}, key=Unit.parse))


def opposed_concepts(z: AnnotatedModel, lexicon: Lexicon) -> dict[str, list[int]]:
    """Return columns of the concept set by what the lexicon says: ``opposes``, ``supports``, ..."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(() if z.concept_set is None else z.concept_set.concept_names):
        found.setdefault(lexicon.support(name, z.subject).verdict, []).append(i)
    return found


def without_units(
    z: AnnotatedModel,
    units: tuple[str, ...],
    known: Known,
    *,
    lexicon: Lexicon | None = None,
    seed: int = 0,
) -> Without:
    """Score a classifier as it is, without units, without concepts, and fitted again.

    Parameters
    ----------
    z
        A model with a linear read-out (``circuitz new --texts``), with D at hand.
    units
        Units that the probe reads, ``read:17``, or directions of these, ``read@sae:3``; see
        :func:`circuitz.evaluation.probe_inputs.read_units`.
    known
        Texts it is scored on; read for scoring alone, but for the last row, *oracle*: the probe
        fitted to one half of them and scored on the other.
    lexicon
        Says which concepts are none of the subject's: these are erased, and as a control those
        that are. The shipped one by default.
    seed
        Of what is drawn.

    Raises
    ------
    InputsError
        If the model has no read-out, or D is not at hand.
    UnitError
        If a unit is none that the probe reads.
    """
    net = runtime(z).module
    data = z.data
    if not hasattr(net, "read_out") or data is None or data.labels is None:
        raise InputsError(
            "Units are taken away from a language model with a probe, with its D.",
            "Make one: circuitz new --texts FILE.csv --lm DIR --out NAME.z.",
        )
    reading: Any = net
    chosen = read_units(z, units)
    split = np.zeros(len(data), np.uint8) if data.split is None else data.split
    rows = np.flatnonzero(split == 0)
    given, labels = pooled(reading, data.images[rows]), data.labels[rows]
    shown = pooled(reading, known.tokens)
    job = _Job(reading, given, labels, shown, known, z.classes)

    def without(some: dict[str, list[int]], *, refit: bool = False) -> Evaluation:
        taken = [spoken(z, reading, some, t) for t in (data.images[rows], known.tokens)]
        return job.score(*taken, refit=refit)

    draw = np.random.default_rng([seed, 61])
    chance = [without(_others(z, chosen, draw)) for _ in range(DRAWS)]
    half = draw.permutation(len(known.labels))
    scores = {
        "as it is": without({}),
        "without the units": without(chosen),
        "and fitted again": without(chosen, refit=True),
        **job.erased(z, opposed_concepts(z, lexicon or Lexicon.load())),
        "oracle": job.oracle(half[::2], half[1::2]),
    }
    return Without(units, scores, tuple((s.overall.value, _worst(s)) for s in chance))


@dataclass(frozen=True, eq=False)
class _Job:
    net: Reading
    given: torch.Tensor
    labels: I64
    shown: torch.Tensor
    known: Known
    classes: tuple[str, ...]

    def score(self, taken: torch.Tensor, gone: torch.Tensor, *, refit: bool = False) -> Evaluation:
        """Score with what units say of D, and of the known texts, at its mean over D."""
        mean = taken.mean(0)
        given, shown = self.given - taken + mean, self.shown - gone + mean
        return self._told(shown, np.arange(len(shown)), (given, self.labels) if refit else None)

    def erased(self, z: AnnotatedModel, columns: dict[str, list[int]]) -> dict[str, Evaluation]:
        """Score without the concepts the lexicon opposes; as a control without those it supports."""
        concepts = z.concept_set
        found: dict[str, Evaluation] = {}
        if concepts is None or concepts.concepts is None or not columns.get("opposes"):
            return found
        split = np.zeros(len(concepts), np.uint8) if concepts.split is None else concepts.split
        rows = np.flatnonzero(split == 0)
        x = pooled(self.net, concepts.images[rows])
        everyone = np.arange(len(self.shown))
        for verdict, name in (("opposes", "concepts erased"), ("supports", "control")):
            if not columns.get(verdict):
                continue
            erase = Eraser.fit(x, concepts.concepts[rows][:, columns[verdict]])
            given, shown = erase(self.given), erase(self.shown)
            if verdict == "opposes":
                found[name] = self._told(shown, everyone, None)
            again = self._told(shown, everyone, (given, self.labels))
            found["erased and fitted again" if verdict == "opposes" else _CONTROL] = again
        return found

    def oracle(self, fitted: I64, scored: I64) -> Evaluation:
        return self._told(self.shown, scored, (self.shown[fitted], self.known.labels[fitted]))

    def _told(
        self, shown: torch.Tensor, rows: I64, refit: tuple[torch.Tensor, I64] | None
    ) -> Evaluation:
        probe = self.net.read_out.probe
        before = {name: value.clone() for name, value in probe.state_dict().items()}
        try:
            if refit is not None:
                fit_probe(self.net, *refit)
            with torch.no_grad():
                said = probe(shown[rows]).argmax(1).numpy()
        finally:
            probe.load_state_dict(before)
        labels = self.known.labels[rows]
        members = labels[:, None] == np.arange(len(self.classes))
        return evaluate(
            said == labels, members, self.classes, self.known.groups[rows], self.known.group_names
        )


def _others(
    z: AnnotatedModel, chosen: dict[str, list[int]], draw: np.random.Generator
) -> dict[str, list[int]]:
    """Draw as many other units, of the same bases."""
    sizes = {spec.name: spec.size for spec in z.layers} | basis_sizes(z.bases)
    found: dict[str, list[int]] = {}
    for place, numbers in chosen.items():
        rest = np.setdiff1d(np.arange(sizes[place]), numbers)
        found[place] = draw.permutation(rest)[: len(numbers)].tolist()
    return found


def _worst(scores: Evaluation) -> float:
    return scores.overall.value if scores.worst is None else float(scores.worst["accuracy"])
