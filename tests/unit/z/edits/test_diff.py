from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from circuitz.errors import AnnotationError, UnitError
from circuitz.z.finding import Waiver
from circuitz.z.model import AnnotatedModel


def said(z: AnnotatedModel) -> dict[str, str]:
    return {target: entry.text for target, entry in z.effective().items()}


def test_no_difference_is_an_empty_table(z: AnnotatedModel) -> None:
    assert z.diff(z).empty
    assert z.diff(z.annotate("conv2:2", "x", concepts=()).undo()).empty


def test_every_difference_is_a_row(z: AnnotatedModel) -> None:
    other = z.annotate("conv2:1", "coat", concepts=(), author="bob")
    other = other.annotate("conv2:0", "ears", concepts=())
    weights = {**z.weights, "extra": np.zeros(2), "norm.count": np.array(8)}
    other = other.with_(weights=weights, subject="cat")
    table = z.diff(other).set_index("name")
    assert table.loc["conv2:1", "here"] == "snow on the ground"
    assert table.loc["conv2:1", "there"] == "coat"
    assert table.loc["conv2:1", "author_there"] == "bob"
    assert table.loc["conv2:0", "change"] == "added"
    assert table.loc["extra", "change"] == "added"
    assert table.loc["norm.count", "what"] == "weights"
    assert table.loc["subject", "there"] == "cat"
    assert len(table) == 5
    back = other.diff(z).set_index("name")
    assert back.loc["conv2:0", "change"] == "removed"


def test_merging_takes_over_what_only_the_other_changed(z: AnnotatedModel) -> None:
    mine = z.annotate("conv2:0", "ears", concepts=(), author="ann")
    theirs = z.annotate("conv2:2", "tail", concepts=(), author="bob").retract("conv2:1")
    merged, conflicts = mine.merge(theirs)
    assert conflicts.empty
    assert said(merged) == {"conv2:0": "ears", "conv2:2": "tail"}
    assert merged.parent == mine.hash
    assert len(merged.log) == 4
    other_way, _ = theirs.merge(mine)
    assert other_way.hash == merged.hash
    again, conflicts = merged.merge(theirs)
    assert again is merged
    assert conflicts.empty


def test_conflicts_are_listed_and_nothing_is_overwritten(z: AnnotatedModel) -> None:
    mine = z.annotate("conv2:1", "ice", concepts=(), author="ann")
    theirs = z.annotate("conv2:1", "coat", concepts=(), author="bob")
    theirs = theirs.annotate("conv2:2", "tail", concepts=())
    merged, conflicts = mine.merge(theirs)
    assert said(merged) == {"conv2:1": "ice", "conv2:2": "tail"}
    (row,) = conflicts.to_dict("records")
    assert (row["name"], row["here"], row["there"]) == ("conv2:1", "ice", "coat")
    assert (row["author_here"], row["author_there"]) == ("ann", "bob")
    assert row["ids_there"] == (theirs.log[1].id,)
    # Settled by saying what both said there, or by taking it back here.
    settled, conflicts = merged.annotate("conv2:1", "coat", concepts=()).merge(theirs)
    assert conflicts.empty
    assert said(settled)["conv2:1"] == "coat"


def test_a_retraction_against_a_change_is_a_conflict(z: AnnotatedModel) -> None:
    merged, conflicts = z.retract("conv2:1").merge(z.annotate("conv2:1", "ice", concepts=()))
    assert said(merged) == {}
    assert conflicts.iloc[0]["here"] is None
    assert conflicts.iloc[0]["there"] == "ice"


def test_the_same_change_on_both_sides_is_none(z: AnnotatedModel) -> None:
    mine = z.annotate("conv2:1", "ice", concepts=(), author="ann")
    theirs = z.annotate("conv2:1", "ice", concepts=(), author="bob")
    merged, conflicts = mine.merge(theirs)
    assert conflicts.empty
    assert said(merged) == {"conv2:1": "ice"}


def test_an_undo_over_there_is_taken_over(z: AnnotatedModel) -> None:
    base = z.annotate("conv2:2", "tail", concepts=())
    merged, conflicts = base.annotate("conv2:0", "ears", concepts=()).merge(base.undo())
    assert conflicts.empty
    assert said(merged) == {"conv2:1": "snow on the ground", "conv2:0": "ears"}


def test_other_weights_and_stories_are_rows_and_stay(z: AnnotatedModel) -> None:
    merged, conflicts = z.merge(z.with_(weights={"w": np.zeros(2)}, story="other"))
    assert set(conflicts["what"]) == {"weights", "story"}
    assert merged.story == z.story
    assert merged.weights_hash == z.weights_hash


def test_waivers_of_both_are_kept(z: AnnotatedModel) -> None:
    other = z.with_(waivers=(*z.waivers, Waiver("f2", "bob", "fine", "")))
    assert len(z.merge(other)[0].waivers) == 2


def test_units_this_model_lacks_are_refused(
    z: AnnotatedModel, new_z: Callable[..., AnnotatedModel]
) -> None:
    larger = new_z(layers=(replace(z.layers[0]), replace(z.layers[1], size=9)), bases={})
    with pytest.raises(UnitError, match="conv2:0 to conv2:3"):
        z.merge(larger.annotate("conv2:8", "x", concepts=()))


def test_one_id_with_two_meanings_is_refused(z: AnnotatedModel) -> None:
    forged = z.with_(log=(replace(z.log[0], text="other"),))
    with pytest.raises(AnnotationError, match="differently"):
        z.merge(forged)
