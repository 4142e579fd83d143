"""Words at face value: they carry a network that is what they say, and no picture is read."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.cards.make_card import card
from circuitz.disk.hashing import array_digest
from circuitz.effects.face_value import draw_donors
from circuitz.effects.rewrite import rewrite
from circuitz.effects.rewrite_result import with_agreement
from circuitz.errors import ConceptLabelsError, InputsError, InterventionError
from circuitz.measurement.measure import measure
from circuitz.store.judgement import Judgement
from circuitz.z.agreement_record import agreement_records
from circuitz.z.inputs import InputSet

WHEN = "2026-01-01T00:00:00+00:00"


def shows_of(inputs):
    """Which of the three colours a picture of the wired world shows, as its words say."""
    level = np.asarray(inputs.images, np.float64).mean((1, 2))
    return dict(zip(("rust", "grass", "snow"), (level > 50).T.astype(float), strict=True))


@pytest.fixture(scope="module")
def spoken(world):
    """The wired network, each unit called by what it sees; it knows its colours and nothing else."""
    z = measure(world.z(), world.concepts(n=120), images=24, pictures=False)
    for unit, word in enumerate(("rust", "grass", "snow")):
        z = z.annotate(f"colour:{unit}", word, author="ann")
    return z


@pytest.fixture(scope="module")
def result(spoken):
    return rewrite(spoken, spoken.data, shows_of(spoken.data))


def test_right_words_carry_the_network(result) -> None:
    assert result.works
    assert result.agreement.estimate > 0.95
    table = result.frame.set_index("way")
    assert table.loc["permuted words", "agreement"] < 0.8
    assert table.loc["network", "agreement"] == 1
    assert table.loc["all donors", "agreement"] < 0.5
    assert table.loc["regression", "accuracy"] > 0.95
    assert result.accuracy.estimate > 0.95
    assert (result.population, result.left_out) == ("D", 0)
    assert "works" in repr(result)
    assert result.to_json()["works"] is True


def test_words_of_more_and_less_count_with_the_sign_they_say(spoken, result) -> None:
    more = spoken.annotate("colour:2", "more with snow", author="ann")
    less = spoken.annotate("colour:2", "less with snow", author="ann")
    as_said, denied = (rewrite(z, z.data, shows_of(z.data), permutations=0) for z in (more, less))
    np.testing.assert_array_equal(as_said.margins, result.margins)
    # The unit responds more with snow: that it does so less cannot be, and it does neither.
    assert denied.units == as_said.units
    opposite = {**shows_of(less.data), "snow": 1 - shows_of(less.data)["snow"]}
    flipped = rewrite(less, less.data, opposite, permutations=0)
    np.testing.assert_array_equal(flipped.margins, denied.margins)
    assert not np.array_equal(as_said.margins, denied.margins)


def test_who_cannot_tell_leans_to_neither(spoken) -> None:
    data, shown = spoken.data, shows_of(spoken.data)
    image = array_digest(np.ascontiguousarray(data.images[0])).hex()
    row = Judgement(
        "ask", "concept: snow", "", "", (image,), ("yes", "no"), 0, {"choice": "cannot tell"},
        "ada", "person", WHEN, WHEN, "snow-0",
    )  # fmt: skip
    del shown["snow"]
    found = rewrite(spoken, data, shown, answers=[row], permutations=0)
    assert (found.rows.tolist(), found.left_out) == ([0], len(data) - 1)


def test_wrong_words_do_not(spoken, result) -> None:
    z = spoken
    for unit, word in enumerate(("grass", "snow", "rust")):
        z = z.annotate(f"colour:{unit}", word, author="ann")
    wrong = rewrite(z, z.data, shows_of(z.data))
    assert not wrong.works
    assert wrong.agreement.estimate < result.agreement.estimate - 0.3


@pytest.mark.parametrize("bent", [False, True])
def test_no_activation_of_a_scored_picture_is_read(spoken, world, bent) -> None:
    z = spoken
    if bent:
        z = measure(world.z(world.bent), world.concepts(n=120), images=24, pictures=False)
        z = z.annotate("colour:2", "snow", author="ann").annotate("colour:0", "rust", author="ann")
    inputs, words = world.data(seed=8), shows_of(world.data(seed=8))
    noise = np.random.default_rng(0).integers(0, 256, inputs.images.shape, np.uint8)
    told = rewrite(z, inputs, words)
    blind = rewrite(z, replace(inputs, images=noise), words)
    np.testing.assert_array_equal(told.margins, blind.margins)
    np.testing.assert_array_equal(told.permuted, blind.permuted)
    assert not np.array_equal(told.predicted, blind.predicted)
    assert not np.array_equal(told.others["true activations"], blind.others["true activations"])


def test_true_activations_of_all_units_are_the_network(spoken) -> None:
    z = spoken.annotate("colour:3", "grass", author="ann")
    full = rewrite(z, z.data, shows_of(z.data))
    np.testing.assert_array_equal(full.others["true activations"], full.predicted)


def test_labels_of_pictures_change_nothing_but_accuracy(spoken, result) -> None:
    data = spoken.data
    bare = rewrite(spoken, InputSet(data.images), shows_of(data))
    assert bare.accuracy is None
    assert bare.frame["accuracy"].isna().all()
    np.testing.assert_array_equal(bare.margins, result.margins)


def test_words_come_from_labels_answers_or_as_given(spoken) -> None:
    data, shown = spoken.data, shows_of(spoken.data)
    labels = np.stack(list(shown.values()), 1).astype(np.float32)
    labelled = replace(data, concepts=labels, concept_names=tuple(shown))
    given = rewrite(spoken, data, shown)
    np.testing.assert_array_equal(rewrite(spoken, labelled).margins, given.margins)
    rows = [
        Judgement(
            "ask", f"concept: {word}", "", "", (array_digest(np.ascontiguousarray(image)).hex(),),
            ("yes", "no"), 0, {"choice": "yes" if value else "no"}, "ada", "simulated", WHEN, WHEN,
            f"{word}-{i}",
        )
        for word, values in shown.items()
        for i, (image, value) in enumerate(zip(data.images, values, strict=True))
    ]  # fmt: skip
    asked = rewrite(spoken, data, answers=rows)
    np.testing.assert_array_equal(asked.margins, given.margins)
    assert asked.simulated
    assert "SIMULATED" in repr(asked)
    assert not given.simulated


def test_pictures_of_which_a_word_is_not_known_are_left_out_and_counted(spoken) -> None:
    shown = shows_of(spoken.data)
    shown["snow"][:5] = np.nan
    found = rewrite(spoken, spoken.data, shown)
    assert found.left_out == 5
    assert found.rows.tolist() == list(range(5, len(spoken.data)))
    assert len(found.margins) == len(found.rows)


def test_units_nobody_can_tell_about_count_as_without_words(spoken, result) -> None:
    z = spoken.annotate("colour:3", "gizmo", author="ann")
    found = rewrite(z, z.data, shows_of(z.data))
    assert found.unlabelled == 1
    np.testing.assert_array_equal(found.margins, result.margins)


def test_the_card_shows_the_agreement_while_it_holds(spoken, result) -> None:
    z = with_agreement(spoken, result)
    (shown,) = card(z).agreement
    assert (shown.population, shown.n, shown.share) == (
        "D",
        result.agreement.n,
        result.agreement.estimate,
    )
    other = rewrite(spoken, InputSet(spoken.data.images[::-1].copy()), {
        word: values[::-1] for word, values in shows_of(spoken.data).items()
    })  # fmt: skip
    assert [a.population for a in card(with_agreement(z, other)).agreement] == ["D", "D'"]
    assert z.hash == spoken.hash
    renamed = z.annotate("colour:0", "grass", author="ann")
    assert agreement_records(renamed) == ()
    with pytest.raises(InterventionError, match="other weights"):
        with_agreement(renamed, result)
    for note in (3, [3], [{"population": "D"}]):
        assert agreement_records(z.with_(notes={"agreement": note})) == ()


def test_each_class_has_donors_enough_of_other_classes() -> None:
    for classes, size in ((2, 16), (3, 12), (6, 10), (20, 9)):
        labels = np.repeat(np.arange(classes), 20)
        rows = draw_donors(labels, classes, 8, 0)
        lent = [(labels[rows] != k).sum() for k in range(classes)]
        assert min(lent) >= 8
        assert len(rows) <= size
        assert len(set(rows.tolist())) == len(rows)


def test_what_cannot_be_rewritten_is_named(spoken, world) -> None:
    data = spoken.data
    with pytest.raises(ConceptLabelsError, match="nothing is known"):
        rewrite(spoken, data)
    with pytest.raises(ConceptLabelsError, match="values from"):
        rewrite(spoken, data, {**shows_of(data), "snow": np.full(len(data), 2.0)})
    with pytest.raises(ConceptLabelsError, match="shape"):
        rewrite(spoken, data, {"snow": [1.0]})
    with pytest.raises(ConceptLabelsError, match="No unit"):
        rewrite(spoken.with_(log=()), data, shows_of(data))
    with pytest.raises(InputsError, match="need D"):
        rewrite(spoken.with_(data=None), data, shows_of(data))
    with pytest.raises(ConceptLabelsError, match="concept set"):
        rewrite(world.z(), data, shows_of(data))
    with pytest.raises(InterventionError, match="several of this"):
        rewrite(spoken.with_(head="multi-label"), data, shows_of(data))
