from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from circuitz.cards.card import Card
from circuitz.errors import LabellingError
from circuitz.evaluation.evaluation_sets import InputsWithTruth
from circuitz.evaluation.labelling_study import CONTROLS, TASK, LabellingStudy, run_labelling_study
from circuitz.labelling.labels.label_model import LabelModel
from circuitz.store.judgements import Judgements

Cards = Callable[..., Card]
Worlds = Callable[..., InputsWithTruth]


def outputs(
    shifted: InputsWithTruth, seed: int, sure: float = 4.2
) -> tuple[np.ndarray, np.ndarray]:
    """A network that is right nearly everywhere, and units that see the concepts, both noisily."""
    rng = np.random.default_rng(seed)
    truth = shifted.truth
    logits = rng.normal(size=(len(shifted), len(truth.classes)))
    logits[np.arange(len(shifted)), truth.labels] += sure
    features = truth.concepts + 0.4 * rng.normal(size=truth.concepts.shape)
    return logits, features


@pytest.fixture
def study(breed_card: Cards, make_known: Worlds) -> Callable[..., LabellingStudy]:
    def run(seed: int = 0, **extra: object) -> LabellingStudy:
        shifted = make_known("D'", 100, seed=seed)
        logits, features = outputs(shifted, seed)
        given: dict[str, object] = {
            "star": breed_card(seed=seed),
            "unrepaired": breed_card(seed=seed, snow=0.6, drop=0.5),
            "shifted": shifted,
            "logits": logits,
            "features": features,
            "examples": make_known("D", 40, seed=seed),
            "seed": seed,
        }
        return run_labelling_study(**(given | extra))  # pyright: ignore[reportArgumentType]

    return run


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_story(study: Callable[..., LabellingStudy], seed: int) -> None:
    labels = study(seed).labels
    assert labels["judgements"] == 200
    star = labels["rater_zstar"]
    assert star >= labels["rater_unrepaired"] + 0.15
    assert star >= labels["rater_no_card"] + 0.40
    assert star >= labels["rater_permuted"] + 0.20
    assert 0 <= labels["rater_notes"] <= 1
    details = labels["details"]
    network = details["further_controls"]["zstar_network"]
    assert labels["m_l_test_worst_group"] >= min(network["worst_group"], 0.95)
    assert labels["m_l_test_accuracy"] >= 0.95
    assert details["simulated"] is True
    assert details["rater"]["perception_error"] == 0.05
    # Answers that tell nothing must not earn z*'s accuracy.
    assert details["further_controls"]["answers_without_card"]["accuracy"] < 0.4
    assert details["further_controls"]["answers_permuted_card"]["accuracy"] < 0.6


def test_judgements_are_stored_once_with_the_card_shown(
    study: Callable[..., LabellingStudy], tmp_path: Path
) -> None:
    store = Judgements(tmp_path / "j.sqlite")
    calls: list[tuple[int, int]] = []
    first = study(store=store, n_questions=30, progress=lambda a, b: calls.append((a, b)))
    assert calls[-1] == (150, 150)
    assert len(store) == 150
    again = study(store=store, n_questions=30)
    assert len(store) == 150
    assert again.labels == first.labels
    own = store.rows(task=TASK)
    assert {j.card_hash for j in own} == {first.cards["zstar"].hash}
    assert {j.use for j in own} == {"train"}
    assert {j.z_hash for j in own} == {"z0"}
    for control in CONTROLS:
        rows = store.rows(task=f"{TASK}/{control}")
        assert len(rows) == 30
        assert {j.use for j in rows} == {"held-out"}
        assert {j.rater_kind for j in rows} == {"simulated"}
        # The same inputs, asked in the same order of options.
        assert [(j.items, j.options, j.seed) for j in rows] == [
            (j.items, j.options, j.seed) for j in own
        ]
    assert len({j.options for j in own}) > 10


def test_class_names_mean_nothing(breed_card: Cards, make_known: Worlds) -> None:
    """Permute the names in D and card and answers follow: no breed is known beforehand."""
    names = ("poodle", "terrier", "husky", "corgi", "greyhound", "beagle")
    found: list[list[str]] = []
    for classes in (None, names):
        shifted = make_known("D'", 50, classes=classes)
        logits, features = outputs(shifted, 0)
        cards = {} if classes is None else {"classes": classes}
        run = run_labelling_study(
            star=breed_card(**cards), unrepaired=breed_card(snow=0.6, **cards), shifted=shifted,
            logits=logits, features=features, examples=make_known("D", 40, classes=classes),
            n_questions=40,
        )  # fmt: skip
        found.append([str(j.answer and j.answer["choice"]) for j in run.judgements[-40:]])
    rename = dict(zip(shifted.truth.classes, shifted.truth.classes, strict=True)) | dict(
        zip(("husky", "corgi", "greyhound", "poodle", "beagle", "terrier"), names, strict=True)
    )
    assert [rename[c] for c in found[0]] == found[1]


def test_the_model_travels_as_json(study: Callable[..., LabellingStudy]) -> None:
    run = study(n_questions=60)
    back = LabelModel.from_json(run.model.to_json())
    assert back.to_json() == run.model.to_json()
    assert run.questions.to_json()["pool"] == 600


def test_bad_input_is_named(
    study: Callable[..., LabellingStudy], breed_card: Cards, make_known: Worlds
) -> None:
    with pytest.raises(LabellingError, match="201"):
        study(n_questions=201)
    with pytest.raises(LabellingError, match="do not fit"):
        study(logits=np.zeros((3, 6)))
    with pytest.raises(LabellingError, match="names"):
        study(star=breed_card(classes=("a", "b", "c", "d", "e", "f")))
    small = make_known("D'", 5)
    logits, features = outputs(small, 0)
    with pytest.raises(LabellingError, match="All of D′"):
        study(shifted=small, logits=logits, features=features)
