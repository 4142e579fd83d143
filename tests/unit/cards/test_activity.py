from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from circuitz.cards.activity import CardActivity, CueActivity, distinct_cues, name_of_place
from circuitz.cards.card import Card, ClassEntry, Cue
from circuitz.cards.cue_levels import activities_from_levels, cue_levels, place_from_map
from circuitz.errors import CardError
from circuitz.z.measurements import EffectMeasurements

UNITS = ("conv:0", "conv:1", "conv:2")


def card(first: str = "snow", second: str = "pointed ears") -> Card:
    """Two classes that share a cue of two units, and a cue of one unit."""
    snow = Cue(first, (), ("conv:0", "conv:1"), 0.6)
    ears = Cue(second, (), ("conv:2",), 0.2)
    less = Cue(first, (), ("conv:1", "conv:0"), -0.1)
    return Card((ClassEntry("husky", (snow, ears)), ClassEntry("corgi", (less,))))


def effects(span: tuple[float, ...] = (2.0, 1.0, 1.0)) -> EffectMeasurements:
    none = np.zeros((0, 3, 2), np.float32)
    return EffectMeasurements(
        units=UNITS, targets=("husky", "corgi"), scale=np.ones(2, np.float32), sufficiency=none,
        necessity=none, split=np.zeros(0, np.uint8), scene=np.zeros(0, np.int64),
        source=np.zeros(0, np.int64), span=np.array(span, np.float32),
        drive=np.array([[0.5, 0.1], [0.1, 0.1], [0.2, 0.0]], np.float32),
    )  # fmt: skip


def test_a_cue_counts_its_units_by_what_they_drive() -> None:
    usual = np.array([1.0, 1.0, 1.0])
    levels = cue_levels(card(), [[3.0, 1.0, 0.5], [1.0, 2.0, 9.0]], UNITS, effects(), mean=usual)
    # Unit 0 has three quarters of the cue's drive; a unit that is on twice over counts as on.
    np.testing.assert_allclose(levels, [[0.75, -0.5], [0.25, 1.0]])


def test_a_unit_that_never_changes_has_no_say() -> None:
    levels = cue_levels(
        card(), [[9.0, 2.0, 1.0]], UNITS, effects((0.0, 1.0, np.nan)), mean=np.ones(3)
    )
    np.testing.assert_allclose(levels, [[1.0, 0.0]])


def test_what_is_displayed_is_ordered_by_level_and_renaming_changes_names_alone() -> None:
    levels = [[-0.31, 0.69]]
    (shown,) = activities_from_levels(card(), levels)
    assert [(c.words, c.step, c.grade) for c in shown.cues] == [
        ("pointed ears", 3, "much more than usual"), ("snow", -2, "less than usual"),
    ]  # fmt: skip
    (renamed,) = activities_from_levels(card("zzz", "aaa"), levels)
    assert [(c.step, c.place) for c in renamed.cues] == [(c.step, c.place) for c in shown.cues]
    assert renamed.hash != shown.hash


def test_equal_levels_keep_the_cards_order_whatever_the_names_are() -> None:
    for names in (("snow", "ears"), ("b", "a"), ("a", "b")):
        (shown,) = activities_from_levels(card(*names), [[0.4, 0.4]])
        assert tuple(c.words for c in shown.cues) == names


def test_a_cue_of_several_classes_is_one_and_is_found_again() -> None:
    made = card()
    assert [c.words for c in distinct_cues(made)] == ["snow", "pointed ears"]
    (shown,) = activities_from_levels(made, [[1.0, 0.0]])
    found = shown.of_cue(made.entry_of_class("corgi").cues[0])
    assert found is not None
    assert found.level == 1.0
    assert shown.of_cue(Cue("grass", (), ("conv:2",), 0.1)) is None


def test_a_place_is_shown_where_a_cue_is_above_usual() -> None:
    top_left = place_from_map([[4.0, 0.0], [0.0, -3.0]])
    assert top_left == ("90", "00")
    places = [[top_left, top_left]]
    (shown,) = activities_from_levels(card(), [[0.6, -0.6]], places)
    assert [(c.words, c.place_name) for c in shown.cues] == [
        ("snow", "top left"), ("pointed ears", ""),
    ]  # fmt: skip


def test_a_large_map_is_brought_to_eight_cells_a_side() -> None:
    values = np.zeros((20, 31))
    values[15:, :5] = 2.0
    place = place_from_map(values)
    assert (len(place), len(place[0])) == (8, 8)
    assert name_of_place(place) == "bottom left"
    assert name_of_place(place_from_map(np.ones((4, 4)))) == "all over"
    assert name_of_place(("000", "090", "000")) == "middle"
    assert place_from_map(-np.ones((3, 3))) == ()


def test_an_activity_is_read_back_and_a_changed_one_is_refused() -> None:
    (shown,) = activities_from_levels(card(), [[0.6, -0.6]], [[("90", "01"), ()]])
    record = shown.to_json()
    again = CardActivity.from_json(record)
    assert again == shown
    assert again.hash == shown.hash
    record["cues"][0]["step"] = 1
    with pytest.raises(CardError, match="was changed"):
        CardActivity.from_json(record)


@pytest.mark.parametrize(
    ("name", "value"),
    [("step", 6), ("step", 0.5), ("step", True), ("place", ["1", "22"]), ("place", ["x"]),
     ("place", ["1" * 9]), ("units", "conv:0")],
)  # fmt: skip
def test_an_activity_no_screen_could_show_is_refused(name: str, value: object) -> None:
    record = CardActivity("card", (CueActivity("snow", ("conv:0",), 2),)).to_json()
    del record["hash"]
    record["cues"][0][name] = value
    with pytest.raises(CardError, match="no activity"):
        CardActivity.from_json(record)


def test_what_does_not_fit_is_named() -> None:
    usual = np.ones(3)
    with pytest.raises(CardError, match="do not fit 3 units"):
        cue_levels(card(), [[1.0, 2.0]], UNITS, effects(), mean=usual)
    with pytest.raises(CardError, match="not finite"):
        cue_levels(card(), [[1.0, np.nan, 1.0]], UNITS, effects(), mean=usual)
    with pytest.raises(CardError, match="not measured"):
        cue_levels(card(), [[1.0, 1.0]], UNITS[:2], effects(), mean=usual[:2])
    with pytest.raises(CardError, match="2 cues"):
        activities_from_levels(card(), [[1.0]])


def test_cues_of_one_name_on_other_units_are_two() -> None:
    made = card()
    second = Cue("snow", (), ("conv:2",), 0.1)
    made = replace(made, classes=(*made.classes, ClassEntry("poodle", (second,))))
    assert len(distinct_cues(made)) == 3
