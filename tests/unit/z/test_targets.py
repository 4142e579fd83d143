from __future__ import annotations

import pytest

from circuitz.errors import UnitError
from circuitz.z.layer import LayerSpec
from circuitz.z.targets import canonical_target, target_sort_key, target_units
from circuitz.z.unit import Unit

LAYERS = (LayerSpec("conv1", 16), LayerSpec("block.conv4", 64), LayerSpec("empty", 0))
CLASSES = ("husky", "poodle")
BASES = {"block.conv4@nmf": 5}


def check(target: str | Unit) -> str:
    return canonical_target(target, LAYERS, CLASSES, BASES)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("conv1:3", "conv1:3"),
        ("conv1:003", "conv1:3"),
        (" block.conv4:63 ", "block.conv4:63"),
        ("block.conv4@nmf:4", "block.conv4@nmf:4"),
        ("output:husky", "output:husky"),
        ("group:conv1:10, conv1:2,conv1:10", "group:conv1:2,conv1:10"),
        ("edge:conv1:3->output:husky", "edge:conv1:3->output:husky"),
        ("edge: conv1:3 -> block.conv4:1", "edge:conv1:3->block.conv4:1"),
    ],
)
def test_a_target_has_one_spelling(given: str, kept: str) -> None:
    assert check(given) == kept


def test_a_unit_object_is_a_target() -> None:
    assert check(Unit("conv1", "3")) == "conv1:3"


@pytest.mark.parametrize(
    ("given", "message", "hint"),
    [
        ("conv1:16", "conv1:0 to conv1:15", "conv1:15"),
        ("conv1:99999999999999999999", "conv1:0 to conv1:15", "conv1:15"),
        ("conv1:" + "9" * 5000, "conv1:0 to conv1:15", "conv1:15"),
        ("conv4:80", "no layer 'conv4'", "block.conv4:63"),
        ("conv4:8", "no layer 'conv4'", "block.conv4:8"),
        ("block.conv4@nmf:5", "block.conv4@nmf:0 to block.conv4@nmf:4", "nmf:4"),
        ("output:huskie", "no class 'huskie'; it has husky, poodle", "output:husky"),
        ("husky", "is a class", "output:husky"),
        ("empty:0", "no units", "another layer"),
        ("conv1", "not a unit id", "conv4:17"),
        ("conv1:x", "not an index", "conv4:17"),
        ("group:", "no members", "group:"),
        ("group:conv1:1,conv1:77", "conv1:0 to conv1:15", "conv1:15"),
        ("edge:conv1:1", "not an edge", "->"),
        ("edge:conv1:1->conv1:77", "conv1:0 to conv1:15", "conv1:15"),
        ("", "not a unit id", ""),
    ],
)
def test_what_the_model_does_not_have_is_named_with_the_nearest_that_it_has(
    given: str, message: str, hint: str
) -> None:
    with pytest.raises(UnitError) as caught:
        check(given)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert len(str(caught.value)) < 400


def test_units_of_a_target() -> None:
    assert target_units("conv1:3") == ("conv1:3",)
    assert target_units("group:a:1,b:2") == ("a:1", "b:2")
    assert target_units("edge:a:1->output:x") == ("a:1", "output:x")


def test_targets_sort_by_number() -> None:
    targets = ["conv1:10", "conv1:9", "group:conv1:9,conv1:10", "nonsense"]
    assert sorted(targets, key=target_sort_key) == [
        "conv1:9", "group:conv1:9,conv1:10", "conv1:10", "nonsense",
    ]  # fmt: skip


HEADS = LayerSpec("attn.hook_z", 4, unit_axis=2, token_axes=(1,), shape=(32, 4, 16))


def test_positions_are_checked_against_the_layer() -> None:
    assert canonical_target("attn.hook_z:03@pos07", [HEADS], []) == "attn.hook_z:3@pos7"
    with pytest.raises(UnitError, match="positions 0 to 31"):
        canonical_target("attn.hook_z:3@pos32", [HEADS], [])
    with pytest.raises(UnitError, match="no token positions"):
        canonical_target("conv:1@pos2", [LayerSpec("conv", 3, spatial_axes=(2, 3))], [])


@pytest.mark.parametrize(
    ("given", "hint"),
    [(["conv4:1", "conv4:2"], "group:"), (("conv4", 1), "group:"), (7, "layer:index")],
)
def test_what_is_no_text_is_refused_by_what_it_is(given: object, hint: str) -> None:
    with pytest.raises(UnitError, match=f"A {type(given).__name__} is not") as refused:
        canonical_target(given, (), ())  # pyright: ignore[reportArgumentType]
    assert hint in refused.value.hint
