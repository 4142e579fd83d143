from __future__ import annotations

from dataclasses import replace
from typing import Any, NoReturn

import numpy as np
import pytest

from circuitz.lexicon.lexicon import Lexicon
from circuitz.models.run.open_runtime import runtime
from circuitz.z.model import AnnotatedModel
from circuitz.zstar.edits import find_edits
from circuitz.zstar.edits.edit_trial import EditTester, EditTrial
from circuitz.zstar.edits.find_edits import EditChoice, choose_edit
from circuitz.zstar.edits.regions import RegionFinder
from circuitz.zstar.search import search
from circuitz.zstar.search_settings import SearchSettings

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def stranger(caught: AnnotatedModel) -> AnnotatedModel:
    """The husky network with image labels alone; of three grounds, one is not labelled."""
    concepts = caught.concept_set
    assert concepts is not None
    assert concepts.concepts is not None
    kept = [i for i, name in enumerate(concepts.concept_names) if name != "sand"]
    assert len(kept) == len(concepts.concept_names) - 1
    bare = replace(
        concepts,
        masks=None,
        mask_names=(),
        pairs=None,
        concepts=concepts.concepts[:, kept],
        concept_names=tuple(concepts.concept_names[i] for i in kept),
    )
    from circuitz.measurement.measure import measure
    from circuitz.plausibility.propose import propose

    z = measure(caught.with_(log=()), concept_set=bare, images=90)
    return measure(propose(z), images=90)


@pytest.fixture(scope="module")
def choice(stranger: AnnotatedModel) -> EditChoice:
    return choose_edit("snow", stranger, Lexicon.load())


def test_half_labelled_grounds_are_exchanged(choice: EditChoice) -> None:
    assert choice.finder is not None
    assert isinstance(choice.finder, RegionFinder)
    assert not choice.finder.alone
    best = max(choice.trials, key=lambda t: t.worth)
    assert best.way == "exchange"
    assert best.told_before > 0.95
    assert abs(best.told_after - 0.5) < 0.2
    assert best.retained > 0.6


def test_the_search_repairs_from_image_labels_alone(
    stranger: AnnotatedModel, choice: EditChoice, shifted: Any
) -> None:
    assert choice.finder is not None
    found = search(
        stranger,
        settings=SearchSettings(rounds=2, epochs=8, images=90),
        finders={"snow": choice.finder},
    )
    inputs, ground = shifted
    right = runtime(found.z).logits(inputs.images).argmax(1) == inputs.labels
    cells = [right[(inputs.labels == k) & (ground == g)].mean() for k in range(3) for g in range(3)]
    assert min(cells) > 0.7


def test_random_places_are_worth_less_than_what_was_learned(
    stranger: AnnotatedModel, choice: EditChoice
) -> None:
    class Nowhere(RegionFinder):
        def region_probability_maps(self, images: Any, batch: int = 128) -> np.ndarray:
            out = np.zeros(images.shape[:3], np.float32)
            out[:, :6, :6] = 1
            return out

    tester = EditTester(stranger, "snow", Lexicon.load())
    assert isinstance(choice.finder, RegionFinder)
    corner = Nowhere("snow", "labels", choice.finder.net)
    assert tester.try_way("corner", corner).worth < 0.5 * max(t.worth for t in choice.trials)


def test_ways_that_fail_end_no_search(
    stranger: AnnotatedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_how: Any) -> NoReturn:
        from circuitz.errors import ConceptLabelsError

        raise ConceptLabelsError("No such luck.", "Try another day.")

    monkeypatch.setattr(find_edits, "find_regions", refuse)
    found = search(stranger, settings=SearchSettings(rounds=1, epochs=1, steps=2, images=60))
    notes = found.z.notes["search"]
    assert "No such luck" in notes["unedited"]["snow"]
    assert [t["problem"] for t in notes["edit_trials"]["snow"]] == ["No such luck."] * 3


def test_a_concept_without_labels_is_told_of(stranger: AnnotatedModel) -> None:
    choice = choose_edit("water", stranger, Lexicon.load())
    assert choice.finder is None
    assert "no labels" in choice.problem


def test_masks_are_used_without_a_trial(caught: AnnotatedModel) -> None:
    choice = choose_edit("snow", caught, Lexicon.load())
    assert choice.finder is not None
    assert choice.finder.source == "masks"
    assert choice.trials == ()


def test_no_way_is_begun_when_the_time_is_spent(stranger: AnnotatedModel) -> None:
    choice = choose_edit("snow", stranger, Lexicon.load(), seconds=0.0)
    assert len(choice.trials) == 1


def test_worth_is_what_is_taken_times_what_is_left() -> None:
    good = EditTrial("snow", "exchange", 1.0, 0.55, 0.8)
    assert good.worth == pytest.approx(0.9 * 0.8)
    assert EditTrial("snow", "erase", 1.0, 1.0, 1.0).worth == 0
    assert EditTrial("snow", "erase", problem="no").worth == 0
    # Where nothing else is labelled, what is left cannot be measured and is not held against it.
    assert EditTrial("snow", "erase", 1.0, 0.5).worth == 1
    assert good.to_json() == {
        "way": "exchange", "told_before": 1.0, "told_after": 0.55, "retained": 0.8, "worth": 0.72
    }  # fmt: skip
