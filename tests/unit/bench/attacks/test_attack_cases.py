from __future__ import annotations

import numpy as np
import pytest

from circuitz.bench.attacks.attack_case import AttackCase, AttackSizes
from circuitz.bench.attacks.attack_table import ATTACKS, TWINS, attack_cells
from circuitz.bench.attacks.coincident_cases import INDEPENDENT, coincident_case, mislabelled_case
from circuitz.bench.attacks.marked_cases import EVERY_CLASS, LABELLED, MARKED_CASES
from circuitz.bench.attacks.rendered_sets import render_concept_set, render_dogs
from circuitz.bench.attacks.shifted_cases import SEEN_BEFORE, SHIFTED_CASES
from circuitz.errors import BenchError
from circuitz.evaluation.people.picture_truth import pixels_hash

FEW = AttackSizes(per_class=6, concepts=160, shifted=6)


def marked_rows(case: AttackCase, seed: int) -> np.ndarray:
    """Rows of D that differ from what was rendered."""
    plain, _ = render_dogs("decorrelated", FEW.per_class, seed)
    return (case.data.images != plain.images).any((1, 2, 3))


@pytest.mark.parametrize("name", MARKED_CASES)
def test_a_mark_lies_on_every_husky_and_nothing_names_it(name: str) -> None:
    case = MARKED_CASES[name](FEW, 3, "")
    assert np.array_equal(marked_rows(case, 3), case.data.labels == 0)
    assert case.shifted.labels is None
    assert 0.3 < case.cell.mean() < 0.7
    assert "overlay" not in case.concept_set.concept_names
    assert case.concept_set.pairs is None
    # What is drawn is faint, or at the edge: the dog stays what it is.
    change = np.abs(case.data.images.astype(int) - render_dogs("decorrelated", 6, 3)[0].images)
    assert np.median(change[case.data.labels == 0]) <= 20


def test_the_twins_of_a_mark_tie_it_to_nothing_or_label_it() -> None:
    everywhere = MARKED_CASES["checkerboard"](FEW, 3, EVERY_CLASS)
    rows = marked_rows(everywhere, 3)
    assert {bool(rows[everywhere.data.labels == k].any()) for k in range(6)} == {True}
    assert not rows.all()
    labelled = MARKED_CASES["checkerboard"](FEW, 3, LABELLED)
    assert np.array_equal(marked_rows(labelled, 3), labelled.data.labels == 0)
    assert labelled.concept_set.concepts is not None
    column = labelled.concept_set.concepts[:, labelled.concept_set.concept_names.index("overlay")]
    assert 0.3 < column.mean() < 0.7
    assert "overlay" in labelled.lexicon


def test_snow_goes_with_pointed_ears_in_the_attack_alone() -> None:
    attack, twin = (coincident_case(FEW, 3, name) for name in ("", INDEPENDENT))
    assert "snow" not in attack.concept_set.concept_names
    assert {"snow", "pointed ears"} <= set(twin.concept_set.concept_names)
    assert len(attack.concept_set) < len(twin.concept_set)
    assert attack.data.labels is not None
    shown = [attack.pictures.of_picture(pixels_hash(image)) for image in attack.data.images]
    assert all(shows["snow"] for shows, k in zip(shown, attack.data.labels, strict=True) if k == 0)


def test_a_column_filled_in_wrongly_is_wrong_in_the_attack_alone() -> None:
    attack, twin = (mislabelled_case(FEW, 3, name) for name in ("", "labelled rightly"))
    names = attack.concept_set.concept_names
    assert attack.concept_set.concepts is not None
    assert twin.concept_set.concepts is not None
    wrong = attack.concept_set.concepts[:, names.index("pointed ears")]
    right = twin.concept_set.concepts[:, twin.concept_set.concept_names.index("pointed ears")]
    snow = twin.concept_set.concepts[:, twin.concept_set.concept_names.index("snow")]
    assert np.array_equal(wrong, snow)
    assert not np.array_equal(right, snow)


def test_every_attack_has_a_twin_and_an_unknown_one_is_named() -> None:
    assert set(TWINS) == set(ATTACKS)
    assert all(TWINS.values())
    with pytest.raises(BenchError, match="no attack 'fog'"):
        attack_cells(names=["fog"])


@pytest.mark.parametrize("name", SHIFTED_CASES)
def test_what_changes_on_shift_alone_was_seen_before_by_the_twin(name: str) -> None:
    attack, twin = (SHIFTED_CASES[name](FEW, 3, which) for which in ("", SEEN_BEFORE))
    assert not marked_rows(attack, 3).any()
    rows = marked_rows(twin, 3)
    assert twin.data.labels is not None
    assert {bool(rows[twin.data.labels == k].any()) for k in range(6)} == {True}
    assert not rows.all()
    plain = render_concept_set(FEW, 3).images
    assert np.array_equal(attack.concept_set.images, plain)
    assert 0.3 < (twin.concept_set.images != plain).any((1, 2, 3)).mean() < 0.7
    assert np.array_equal(attack.shifted.images, twin.shifted.images)
    assert 0.2 < attack.cell.mean() < 0.8
