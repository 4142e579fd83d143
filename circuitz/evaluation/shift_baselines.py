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
from circuitz.evaluation.evaluation_by_cell import Evaluation, score_by_class_and_group
from circuitz.evaluation.probe_inputs import contributions_to_probe_input, unit_indices_by_place
from circuitz.lexicon.lexicon import Lexicon
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.fit_probe import ProbedNetwork, fit_probe, pooled_activations
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
class TextsWithTruth:
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
class ScoresWithoutUnits:
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


def units_flagged_outside_claims(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """Return the units that a check flagged as driving a class they must not."""
    found = (f for f in findings if f.kind in OUTSIDE_KINDS and f.verdict == "flagged")
    return tuple(sorted({unit for f in found for unit in f.units}, key=Unit.parse))


def concept_columns_by_verdict(z: AnnotatedModel, lexicon: Lexicon) -> dict[str, list[int]]:
    """Return columns of the concept set by what the lexicon says: ``opposes``, ``supports``, ..."""
    found: dict[str, list[int]] = {}
    for i, name in enumerate(() if z.concept_set is None else z.concept_set.concept_names):
        found.setdefault(lexicon.support(name, z.subject).verdict, []).append(i)
    return found


def compare_probe_without_units(
    z: AnnotatedModel,
    units: tuple[str, ...],
    truth_texts: TextsWithTruth,
    *,
    lexicon: Lexicon | None = None,
    seed: int = 0,
) -> ScoresWithoutUnits:
    """Score a classifier as it is, without units, without concepts, and fitted again.

    Parameters
    ----------
    z
        A model with a linear read-out (``circuitz new --texts``), with D at hand.
    units
        Units that the probe reads, ``read:17``, or directions of these, ``read@sae:3``; see
        :func:`circuitz.evaluation.probe_inputs.unit_indices_by_place`.
    truth_texts
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
    chosen = unit_indices_by_place(z, units)
    split = np.zeros(len(data), np.uint8) if data.split is None else data.split
    rows = np.flatnonzero(split == 0)
    given, labels = pooled_activations(reading, data.images[rows]), data.labels[rows]
    shown = pooled_activations(reading, truth_texts.tokens)
    job = _ProbeScorer(reading, given, labels, shown, truth_texts, z.classes)

    def score_without_units(some: dict[str, list[int]], *, refit: bool = False) -> Evaluation:
        taken = [
            contributions_to_probe_input(z, reading, some, t)
            for t in (data.images[rows], truth_texts.tokens)
        ]
        return job.score_with_contribution_at_mean(*taken, refit=refit)

    draw = np.random.default_rng([seed, 61])
    chance = [score_without_units(_draw_control_units(z, chosen, draw)) for _ in range(DRAWS)]
    half = draw.permutation(len(truth_texts.labels))
    scores = {
        "as it is": score_without_units({}),
        "without the units": score_without_units(chosen),
        "and fitted again": score_without_units(chosen, refit=True),
        **job.score_erased_concepts(z, concept_columns_by_verdict(z, lexicon or Lexicon.load())),
        "oracle": job.score_refit_on_truth(half[::2], half[1::2]),
    }
    return ScoresWithoutUnits(
        units, scores, tuple((s.overall.value, _worst_cell_accuracy(s)) for s in chance)
    )


@dataclass(frozen=True, eq=False)
class _ProbeScorer:
    net: ProbedNetwork
    data_features: torch.Tensor
    labels: I64
    truth_features: torch.Tensor
    truth_texts: TextsWithTruth
    classes: tuple[str, ...]

    def score_with_contribution_at_mean(
        self,
        data_contribution: torch.Tensor,
        truth_contribution: torch.Tensor,
        *,
        refit: bool = False,
    ) -> Evaluation:
        """Score with what units say of D, and of the known texts, at its mean over D."""
        mean = data_contribution.mean(0)
        given, shown = (
            self.data_features - data_contribution + mean,
            self.truth_features - truth_contribution + mean,
        )
        return self._score_probe(
            shown, np.arange(len(shown)), (given, self.labels) if refit else None
        )

    def score_erased_concepts(
        self, z: AnnotatedModel, columns: dict[str, list[int]]
    ) -> dict[str, Evaluation]:
        """Score without the concepts the lexicon opposes; as a control without those it supports."""
        concepts = z.concept_set
        found: dict[str, Evaluation] = {}
        if concepts is None or concepts.concepts is None or not columns.get("opposes"):
            return found
        split = np.zeros(len(concepts), np.uint8) if concepts.split is None else concepts.split
        rows = np.flatnonzero(split == 0)
        x = pooled_activations(self.net, concepts.images[rows])
        everyone = np.arange(len(self.truth_features))
        for verdict, name in (("opposes", "concepts erased"), ("supports", "control")):
            if not columns.get(verdict):
                continue
            erase = Eraser.fit(x, concepts.concepts[rows][:, columns[verdict]])
            given, shown = erase(self.data_features), erase(self.truth_features)
            if verdict == "opposes":
                found[name] = self._score_probe(shown, everyone, None)
            again = self._score_probe(shown, everyone, (given, self.labels))
            found["erased and fitted again" if verdict == "opposes" else _CONTROL] = again
        return found

    def score_refit_on_truth(self, fitted: I64, scored: I64) -> Evaluation:
        return self._score_probe(
            self.truth_features,
            scored,
            (self.truth_features[fitted], self.truth_texts.labels[fitted]),
        )

    def _score_probe(
        self, features: torch.Tensor, rows: I64, refit: tuple[torch.Tensor, I64] | None
    ) -> Evaluation:
        probe = self.net.read_out.probe
        before = {name: value.clone() for name, value in probe.state_dict().items()}
        try:
            if refit is not None:
                fit_probe(self.net, *refit)
            with torch.no_grad():
                said = probe(features[rows]).argmax(1).numpy()
        finally:
            probe.load_state_dict(before)
        labels = self.truth_texts.labels[rows]
        members = labels[:, None] == np.arange(len(self.classes))
        return score_by_class_and_group(
            said == labels,
            members,
            self.classes,
            self.truth_texts.groups[rows],
            self.truth_texts.group_names,
        )


def _draw_control_units(
    z: AnnotatedModel, chosen: dict[str, list[int]], rng: np.random.Generator
) -> dict[str, list[int]]:
    """Draw as many other units, of the same bases."""
    sizes = {spec.name: spec.size for spec in z.layers} | basis_sizes(z.bases)
    found: dict[str, list[int]] = {}
    for place, numbers in chosen.items():
        rest = np.setdiff1d(np.arange(sizes[place]), numbers)
        found[place] = rng.permutation(rest)[: len(numbers)].tolist()
    return found


def _worst_cell_accuracy(scores: Evaluation) -> float:
    return (
        scores.overall.value if scores.worst_cell is None else float(scores.worst_cell["accuracy"])
    )
