"""One attack from training to export, by the steps a user would take, with simulated people.

Train on D, wrap, measure, propose words, search, test words on the half of the pictures that a search
may see, take back what does not hold, test on the other half, export with D′ at hand. Nobody waives
or signs anything. Truth is read in two places alone: by the simulated people who look at pictures, and
by the score.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np
import torch

from circuitz.bench.attacks.attack_case import AttackCase, AttackSizes
from circuitz.bench.attacks.attack_row import AttackRow
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.evaluation.people.crowd import Crowd, make_people
from circuitz.evaluation.people.world_words import words_of_world
from circuitz.evaluation.prediction_scores import worst_group
from circuitz.labelling.export import export
from circuitz.labelling.refused import ExportRefusedError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.patching.source_rows import rows_of_split
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose, withdraw
from circuitz.posterior.words.run_word_tests import test_words
from circuitz.wrapping.wrap import wrap
from circuitz.z.class_evidence import class_evidence
from circuitz.z.finding import Finding
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.search import search
from circuitz.zstar.search_settings import SearchSettings

Progress = Callable[[str], None]
#: How far the worst group may lie below the oracle's before an exported z* is called wrong.
WRONG_BELOW_ORACLE = 0.05
_CELLS = ("without", "with")
_FAMILIES = ("averse", "top-two", "short-cards")  # who err on 5 % of what they see, about
_TRIES = 3  # exports at most


def run_attack(
    case: AttackCase,
    sizes: AttackSizes,
    seed: int,
    folder: Path,
    *,
    lexicon: Lexicon | None = None,
    progress: Progress | None = None,
) -> AttackRow:
    """Run one case from training to export.

    Parameters
    ----------
    case
        Its data.
    sizes, seed
        How much is trained, and the seed of everything random.
    folder
        Where z* is written, if it is.
    lexicon
        Kinds of words; the shipped ones by default.
    progress
        Told what is being done.
    """
    tell = progress or (lambda _what: None)
    began = perf_counter()
    tell("train")
    start = train_and_annotate(case, sizes, seed, lexicon)
    tell("search")
    settings = SearchSettings(
        rounds=sizes.rounds,
        epochs=sizes.round_epochs,
        rate=sizes.rate,
        seed=seed,
        images=sizes.sources,
    )
    z = search(start, settings=settings, lexicon=lexicon).z
    tell("test words")
    people = make_people(words_of_world(world_by_name("dogs").world), [seed], _FAMILIES)
    crowd = Crowd(people, case.pictures)
    tester = WordTester(crowd, case.shifted, sizes, seed, lexicon)
    z = tester.without_words_that_do_not_hold(z)
    tell("export")
    z, reason = tester.export_without_refuted_words(z, start, folder / "zstar.z")
    tell("score")
    oracle = _train_network(case.clean, sizes, seed)
    worst, oracle_worst = worst_share(z, case), worst_share(oracle, case)
    return AttackRow(
        name=case.name,
        twin=case.twin,
        seed=seed,
        exported=not reason,
        reason=reason,
        dprime_worst=worst,
        oracle_worst=oracle_worst,
        start_worst=worst_share(start, case),
        wrong=worst < oracle_worst - WRONG_BELOW_ORACLE,
        answers=crowd.answer_counts.get("shows", 0),
        areas=_areas_of_classes(z),
        seconds=round(perf_counter() - began, 1),
    )


def _areas_of_classes(z: AnnotatedModel) -> dict[str, float]:
    return {
        e.target: round(e.area, 4)
        for e in class_evidence(z)
        if e.half == "audit" and e.area is not None
    }


def train_and_annotate(
    case: AttackCase, sizes: AttackSizes, seed: int, lexicon: Lexicon | None = None
) -> AnnotatedModel:
    """Train a network on a case's D, measure it on its concept set, and let the rule name units."""
    z = _train_network(case.data, sizes, seed)
    z = measure(
        z, case.concept_set, seed=seed, images=sizes.sources, lexicon=lexicon, pictures=False
    )
    return measure(
        propose(z, lexicon=lexicon),
        seed=seed,
        images=sizes.sources,
        lexicon=lexicon,
        pictures=False,
    )


@dataclass(frozen=True, eq=False)
class WordTester:
    """What words are tested and taken back with.

    Parameters
    ----------
    crowd
        Simulated people.
    shifted
        D′, unlabelled.
    sizes, seed, lexicon
        As everywhere.
    """

    crowd: Crowd
    shifted: InputSet
    sizes: AttackSizes
    seed: int
    lexicon: Lexicon | None = None

    def without_words_that_do_not_hold(self, z: AnnotatedModel) -> AnnotatedModel:
        """Ask about the pictures a search may see, and take back proposals that do not hold."""
        z = test_words(z, self.crowd, shifted=self.shifted, half="search", seed=self.seed)
        report = check(z, lexicon=self.lexicon, untrained=True)
        fewer = self._measured_without_proposals(z, report.findings)
        return test_words(fewer, self.crowd, shifted=self.shifted, half="audit", seed=self.seed)

    def export_without_refuted_words(
        self, z: AnnotatedModel, start: AnnotatedModel, path: Path
    ) -> tuple[AnnotatedModel, str]:
        """Export; where *audit* refutes proposals, take them back and try again. Nothing is signed.

        Returns
        -------
        The z of the last try, and what refused it; empty where it was exported.
        """
        reason = ""
        for _ in range(_TRIES):
            refused = self._refusal(z, start, path)
            if refused is None:
                return z, ""
            reason, z = say_what_refused(refused), refused.z or z
            fewer = self._measured_without_proposals(z, refused.findings)
            if fewer is z:
                break
            # Fewer units bear some words now, and a test is about the units that bear it.
            z = test_words(fewer, self.crowd, shifted=self.shifted, half="audit", seed=self.seed)
        return z, reason

    def _refusal(
        self, z: AnnotatedModel, start: AnnotatedModel, path: Path
    ) -> ExportRefusedError | None:
        try:
            export(z, path, shifted=self.shifted, start=start, lexicon=self.lexicon)
        except ExportRefusedError as refused:
            return refused
        return None

    def _measured_without_proposals(
        self, z: AnnotatedModel, findings: Sequence[Finding]
    ) -> AnnotatedModel:
        fewer = withdraw(z, findings, polysemantic=True)
        if fewer is z:
            return z
        return measure(
            fewer, seed=self.seed, images=self.sizes.sources, lexicon=self.lexicon, pictures=False
        )


def say_what_refused(refused: ExportRefusedError) -> str:
    """Return the gates that were shut, with the kinds of findings and the classes they are about."""
    shut = [gate.id for gate in refused.gates if gate.stops_export] or [refused.message.strip()]
    kinds = sorted(
        {f"{f.kind} {f.target.removeprefix('output:')}".strip() for f in refused.findings}
    )
    return "; ".join([*shut, *kinds])


def worst_share(z: AnnotatedModel, case: AttackCase) -> float:
    """Return the accuracy of the worst class × cell of a case's D′."""
    predicted = runtime(z).logits(case.shifted.images).argmax(1).astype(np.int64)
    found = worst_group(predicted, case.labels, case.cell, z.classes, _CELLS)
    return round(found.share.value, 4)


def _train_network(data: InputSet, sizes: AttackSizes, seed: int) -> AnnotatedModel:
    assert data.labels is not None
    torch.manual_seed(seed)
    net = build("small-cnn", {"classes": len(data.classes), "widths": list(sizes.widths)})
    rows = rows_of_split(data, "select")
    recipe = Recipe(epochs=sizes.epochs, rate=sizes.rate, seed=seed)
    fit(net, data.images[rows], data.labels[rows], Preprocessing(), recipe)
    return wrap(
        net,
        data,
        layers=("conv3", "conv4"),
        classes=data.classes,
        preprocess=Preprocessing(),
        subject="dog",
        name="husky",
    ).with_(live=None)
