"""The steps of the husky story: train, annotate, measure, search, export and label."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from circuitz.cards.make_card import card
from circuitz.data.worlds.make_world import make_set
from circuitz.data.worlds.world_by_name import world_by_name
from circuitz.demo.export_with_waivers import export_with_waivers
from circuitz.demo.sizes import RATE, WIDTHS, HuskySizes
from circuitz.effects.agreement_questions import test_agreement
from circuitz.evaluation.evaluation_sets import (
    SHORTCUT_CLASS,
    InputsWithTruth,
    join_rendered_set_with_truth,
    make_shifted_set_with_truth,
)
from circuitz.evaluation.labelling_study import LabellingStudy, run_labelling_study
from circuitz.evaluation.people.crowd import Crowd, make_people
from circuitz.evaluation.people.picture_truth import PictureTruth
from circuitz.evaluation.people.world_words import words_of_world
from circuitz.evaluation.prediction_scores import (
    accuracy,
    accuracy_by_group,
    overall_worst_and_off_shortcut_accuracy,
)
from circuitz.measurement.cut_responses import cut_responses
from circuitz.measurement.illustrate import illustrate
from circuitz.measurement.measure import measure
from circuitz.models.run.open_runtime import runtime
from circuitz.models.zoo.builders import build
from circuitz.models.zoo.training import Recipe, fit
from circuitz.patching.source_rows import rows_of_split
from circuitz.plausibility.check import check
from circuitz.plausibility.propose import propose
from circuitz.plausibility.report import Report
from circuitz.posterior.words.run_word_tests import test_words
from circuitz.store.judgements import Judgements
from circuitz.wrapping.wrap import wrap
from circuitz.z.bundle.data_ref import DataRef
from circuitz.z.bundle.inputs_io import write_inputs
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.edits.regions import Finder
from circuitz.zstar.search import search
from circuitz.zstar.search_result import SearchResult
from circuitz.zstar.search_settings import SearchSettings

Progress = Callable[[str, int, int], None]
LAYERS = ("conv1", "conv2", "conv3", "conv4")
_PEOPLE = ("averse", "top-two", "short-cards")
SHIFTED_SEED = 1_000_003  # keeps D′ and what the oracle learns from apart from D


@dataclass(frozen=True)
class StorySetting:
    """Which story is told."""

    world: str
    shortcut: str
    track: float
    seed: int
    classes: tuple[str, ...] | None


class HuskySteps:
    """The steps of one story, each with its progress; what one makes is given to the next."""

    def __init__(
        self,
        out: Path,
        setting: StorySetting,
        sizes: HuskySizes,
        workers: int,
        progress: Progress | None,
    ) -> None:
        self.out, self.setting, self.sizes = out, setting, sizes
        self.seed, self.classes = setting.seed, setting.classes
        self.rendered_world = world_by_name(setting.world)
        self.name = self.rendered_world.world.classes[0]
        self.workers = workers
        self.finders: dict[str, Finder] = {}
        self.withdrawn: list[str] = []
        self.report_progress: Progress = progress or (lambda _what, _done, _total: None)

    def progress_for_step(self, what: str) -> Callable[[int, int], None]:
        """Return a progress callback that names the step."""
        return lambda done, total: self.report_progress(what, done, total)

    def render_set_for_story(self, role: Any, n: int, what: str, seed: int) -> InputSet:
        """Render a set of the story's world for one role, such as D."""
        how = self.setting
        return make_set(
            self.rendered_world, role, n, seed=seed, shortcut=how.shortcut, track=how.track,
            classes=self.classes, workers=self.workers, progress=self.progress_for_step(what),
        )  # fmt: skip

    def train_fresh_network(self, data: InputSet, what: str) -> Any:
        """Train a fresh network on the *select* rows of a set."""
        assert data.labels is not None
        torch.manual_seed(self.seed)
        net = build("small-cnn", {"classes": len(data.classes), "widths": list(WIDTHS)})
        rows = rows_of_split(data, "select")
        recipe = Recipe(epochs=self.sizes.epochs, rate=RATE, seed=self.seed)
        fit(
            net, data.images[rows], data.labels[rows], Preprocessing(), recipe,
            progress=self.progress_for_step(what),
        )  # fmt: skip
        return net

    def train_annotate_and_check(self) -> tuple[AnnotatedModel, Report]:
        """Make D and the concept set, train a network on D, measure, annotate and check it."""
        data = self.render_set_for_story("D", self.sizes.per_class, "draw D", self.seed)
        concepts = self.render_set_for_story(
            "concepts", self.sizes.concepts, "draw the concept set", self.seed
        )
        # From here on D and the concept set are what lies on disk; nothing renders them again.
        write_inputs(self.out / "D", data)
        net = self.train_fresh_network(data, "train on D")
        z = wrap(
            net, data, layers=LAYERS, classes=data.classes, preprocess=Preprocessing(),
            subject=self.rendered_world.world.subject, name=self.name,
        )  # fmt: skip
        z = z.with_(data_ref=DataRef.referring_to(data, "D"), live=None)
        what = "look at every unit"
        z = self.measure_units(z, what, concept_set=concepts, visualise=True)
        z = self.measure_units(propose(z), what, visualise=True)
        z = illustrate(z, progress=self.progress_for_step(what))
        report = check(z)
        z = z.with_(findings=report.findings)
        z.save(self.out / f"{self.name}.z")
        return z, report

    def measure_units(self, z: AnnotatedModel, what: str, **options: Any) -> AnnotatedModel:
        """Measure units on the concept set, and their effects."""
        return measure(
            z,
            seed=self.seed,
            images=self.sizes.sources,
            progress=self.progress_for_step(what),
            **options,
        )

    def search_for_repair(
        self, z: AnnotatedModel, what: str, rounds: int | None = None, **changes: Any
    ) -> SearchResult:
        """Search for z*; ``changes`` are settings of a control."""
        settings = SearchSettings(
            rounds=self.sizes.rounds if rounds is None else max(rounds, 1),
            epochs=self.sizes.round_epochs,
            rate=RATE,
            seed=self.seed,
            images=self.sizes.sources,
        )
        found = search(
            z,
            settings=replace(settings, **changes),
            finders=self.finders,
            progress=lambda step, done, total: self.report_progress(f"{what}: {step}", done, total),
        )
        if changes:
            return found
        # The picture of every unit is for people; the search does without.
        return replace(found, z=self.measure_units(found.z, "look at z*", visualise=True))

    def export_repaired_with_waivers(
        self, z: AnnotatedModel, start: AnnotatedModel, shifted: InputsWithTruth
    ) -> AnnotatedModel:
        """Export z*, whatever still stands against it waived in so many words.

        Its words are tested before, on D and D′, by simulated people who look at the pictures; what
        they say of some is put in place of these, for the agreement on the card.
        """
        ask = self._simulated_people(z, shifted)

        def with_tested_words(model: AnnotatedModel) -> AnnotatedModel:
            tested = test_words(
                model,
                ask,
                shifted=shifted.inputs,
                half="audit",
                seed=self.seed,
                progress=lambda _what, done, of: self.report_progress("test words", done, of),
            )
            return test_agreement(tested, ask, shifted=shifted.inputs, half="audit", seed=self.seed)

        made, self.withdrawn = export_with_waivers(
            with_tested_words(z),
            self.out / "zstar.z",
            lambda fewer: with_tested_words(self.measure_units(fewer, "look at z*")),
            start=start,
            shifted=shifted.inputs,
        )
        return made

    def _simulated_people(self, z: AnnotatedModel, shifted: InputsWithTruth) -> Crowd:
        """Return people who know what the world's words mean and err on 5 % of pictures, about."""
        assert z.data is not None
        pictures = PictureTruth()
        pictures.add_set(join_rendered_set_with_truth(z.data))
        pictures.add_set(shifted)
        if z.concept_set is not None:
            pictures.add_concept_set(z.concept_set)
        words = words_of_world(self.rendered_world.world)
        return Crowd(make_people(words, [self.seed], _PEOPLE), pictures)

    def make_shifted_set(self) -> InputsWithTruth:
        """Make D′, every class in every cell equally often. Only evaluation sees its truth."""
        world, shortcut = self.rendered_world.world, self.setting.shortcut
        ties = world.shortcuts[shortcut]
        cells = len(world.grounds) if "ground" in ties else 1
        if len(ties) > 1 or "ground" not in ties:
            cells *= 2  # with what is added, and without
        return make_shifted_set_with_truth(
            self.sizes.per_cell * cells,
            world=world.name,
            shortcut=shortcut,
            seed=self.seed + SHIFTED_SEED,
            classes=self.classes,
            workers=self.workers,
            progress=self.progress_for_step("draw D′"),
        )

    def train_oracle(self, z: AnnotatedModel) -> AnnotatedModel:
        """Train the same network on data without the shortcut."""
        data = self.render_set_for_story(
            "decorrelated",
            self.sizes.per_class,
            "draw data for the oracle",
            self.seed + SHIFTED_SEED,
        )
        net = self.train_fresh_network(data, "train the oracle")
        return wrap(
            net, data, layers=LAYERS, classes=data.classes, preprocess=z.preprocessing,
            subject=z.subject, name="oracle",
        )  # fmt: skip

    def accuracy_figures(self, z: AnnotatedModel, shifted: InputsWithTruth) -> dict[str, Any]:
        """Return accuracy on held-out D and on D′, there also by group."""
        truth = shifted.truth
        predicted = _predicted_class_indices(z, shifted.inputs.images)
        found = overall_worst_and_off_shortcut_accuracy(
            predicted, truth.labels, truth.cell, truth.classes, truth.cells,
            shortcut_class=truth.classes[SHORTCUT_CLASS],
            shortcut_cell=truth.cells[truth.home],
        )  # fmt: skip
        others = (truth.labels != SHORTCUT_CLASS) & (truth.cell == truth.home)
        assert z.data is not None
        assert z.data.labels is not None
        held = np.concatenate([rows_of_split(z.data, "test"), rows_of_split(z.data, "audit")])
        own = accuracy(_predicted_class_indices(z, z.data.images[held]), z.data.labels[held])
        groups = accuracy_by_group(predicted, truth.labels, truth.cell, truth.classes, truth.cells)
        return {
            "d_accuracy": own.value,
            "d_prime_accuracy": found["accuracy"],
            "d_prime_worst_group": found["worst_group"],
            # The first class without its shortcut, whatever the two are called.
            "husky_off_snow": found["off_shortcut"],
            "others_on_shortcut": accuracy(predicted[others], truth.labels[others]).value,
            "by_group": groups.to_dict("records"),
        }

    def label_by_simulated_rater(
        self,
        husky: AnnotatedModel,
        before: Report,
        zstar: AnnotatedModel,
        after: Report,
        shifted: InputsWithTruth,
    ) -> LabellingStudy:
        """Have D′ labelled by a simulated rater, with z*'s card and with every control."""
        assert husky.data is not None
        return run_labelling_study(
            star=card(zstar, after),
            unrepaired=card(husky, before),
            shifted=shifted,
            logits=runtime(zstar).logits(shifted.inputs.images),
            features=cut_responses(zstar, shifted.inputs).responses[
                :, _annotated_cut_unit_indices(zstar)
            ],
            examples=join_rendered_set_with_truth(husky.data),
            seed=self.seed,
            store=Judgements(self.out / "judgements.sqlite"),
            progress=self.progress_for_step("label D′"),
        )


def _predicted_class_indices(
    z: AnnotatedModel, images: npt.NDArray[np.uint8]
) -> npt.NDArray[np.int64]:
    return runtime(z).logits(images).argmax(1).astype(np.int64)


def _annotated_cut_unit_indices(z: AnnotatedModel) -> list[int]:
    """Return indices of the cut's annotated units."""
    prefix = f"{z.cut[0]}:"
    return sorted(int(t.removeprefix(prefix)) for t in z.effective() if t.startswith(prefix))
