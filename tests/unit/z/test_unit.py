from __future__ import annotations

import pytest

from circuitz.errors import UnitError
from circuitz.z.unit import Unit


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("conv4:17", ("conv4", "17", "")),
        ("blocks.1.attn.hook_z:3", ("blocks.1.attn.hook_z", "3", "")),
        ("conv4@nmf:5", ("conv4", "5", "nmf")),
        ("output:husky", ("output", "husky", "")),
        ("output:siberian husky: grey", ("output", "siberian husky: grey", "")),
    ],
)
def test_ids_are_read_and_written_back(text: str, parts: tuple[str, str, str]) -> None:
    unit = Unit.parse(text)
    assert (unit.layer, unit.name, unit.basis) == parts
    assert str(unit) == text
    assert Unit.parse(unit) is unit


@pytest.mark.parametrize(
    "text", ["", "conv4", "conv4:", ":3", "conv4:x", "conv4:-1", "a@:3", "a b:1"]
)
def test_what_is_no_id_says_how_to_write_one(text: str) -> None:
    with pytest.raises(UnitError) as caught:
        Unit.parse(text)
    assert "conv4:17" in caught.value.hint


def test_units_sort_by_number_and_classes_have_none() -> None:
    units = [Unit.parse(t) for t in ("conv:10", "conv:9", "output:b", "output:a")]
    assert [str(u) for u in sorted(units, key=lambda u: u.sort_key)] == [
        "conv:9", "conv:10", "output:a", "output:b",
    ]  # fmt: skip
    assert units[0].index == 10
    with pytest.raises(UnitError, match="class"):
        _ = units[2].index


def test_a_unit_at_a_position() -> None:
    unit = Unit.parse("blocks.1.attn.hook_z:3@pos7")
    assert (unit.layer, unit.index, unit.position) == ("blocks.1.attn.hook_z", 3, 7)
    assert str(unit) == "blocks.1.attn.hook_z:3@pos7"
    assert Unit.parse("blocks.1.attn.hook_z:3").position is None
    assert str(Unit.parse("a@sae:5@pos02")) == "a@sae:5@pos2"


def test_positions_sort_as_numbers_behind_the_unit_itself() -> None:
    names = ["h:1@pos10", "h:1", "h:1@pos9", "h:0@pos11"]
    assert [str(u) for u in sorted(map(Unit.parse, names))] == [
        "h:0@pos11", "h:1", "h:1@pos9", "h:1@pos10",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["h:1@pos", "h:1@pos-1", "h:@pos1", "h:1@pos1@pos2", "h:1@posx"])
def test_positions_that_are_none(text: str) -> None:
    with pytest.raises(UnitError):
        Unit.parse(text)


def test_a_class_may_be_called_what_it_likes() -> None:
    assert Unit.parse("output:a@pos3").name == "a@pos3"
    assert Unit.parse("output:a@pos3").position is None
