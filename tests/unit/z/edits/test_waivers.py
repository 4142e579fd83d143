"""Decisions to let findings stand: the last one counts, and none is erased."""

from __future__ import annotations

from pathlib import Path

import pytest

from circuitz.errors import AnnotationError
from circuitz.z.bundle.load_save import load
from circuitz.z.edits.waivers import merged_waivers, waivers_in_force
from circuitz.z.finding import Waiver
from circuitz.z.model import AnnotatedModel

# The fixture z has one waiver: of f9, by ann, because it is known.


def test_a_reason_is_changed_and_the_waiver_taken_back_and_all_stays_on_record(
    z: AnnotatedModel, tmp_path: Path
) -> None:
    changed = z.waive("f9", author="bob", reason="known, and only here")
    assert waivers_in_force(changed.waivers)["f9"].author == "bob"
    back = changed.unwaive("finding:f9", author="eve", reason="not any more")
    assert waivers_in_force(back.waivers) == {}
    again = load(back.save(tmp_path / "a.z"))
    assert again.waivers == back.waivers
    assert again.hash == z.hash
    told = again.history("finding:f9")
    assert list(told["what"]) == ["waived", "rewaived", "unwaived"]
    assert list(told["author"]) == ["ann", "bob", "eve"]
    assert list(told["text"]) == ["known", "known, and only here", "not any more"]
    assert list(told["standing"]) == [False, False, False]
    anew = again.waive("f9", author="ann", reason="known")
    assert list(anew.history("finding:f9")["what"])[-1] == "waived"
    assert anew.history("finding:f9")["standing"].tolist()[-1] is True
    # Words and decisions together, by their times.
    everything = anew.history(waivers=True)
    assert len(everything) == len(z.log) + 4
    assert everything["time"].is_monotonic_increasing
    assert len(anew.history()) == len(z.log)


@pytest.mark.parametrize(
    ("finding", "author", "reason", "match"),
    [
        ("", "ann", "why", "No finding"),
        ("finding:", "ann", "why", "No finding"),
        ("f1", " ", "why", "author and a reason"),
        ("f1", "ann", "\t", "author and a reason"),
        ("f1", "ann", "a\x00b", "control"),
        ("f9", "ann", "known", "already"),
    ],
)
def test_a_waiver_that_says_nothing_is_refused(
    z: AnnotatedModel, finding: str, author: str, reason: str, match: str
) -> None:
    with pytest.raises(AnnotationError, match=match):
        z.waive(finding, author=author, reason=reason)


def test_only_what_is_in_force_can_be_taken_back_and_by_somebody(z: AnnotatedModel) -> None:
    with pytest.raises(AnnotationError, match="in force"):
        z.unwaive("f1", author="ann")
    with pytest.raises(AnnotationError, match="author"):
        z.unwaive("f9", author="")
    back = z.unwaive("f9", author="ann")
    with pytest.raises(AnnotationError, match="in force"):
        back.unwaive("f9", author="ann")


def row(who: str, when: str, withdrawn: bool = False) -> Waiver:
    return Waiver("f", who, "" if withdrawn else "why", when, withdrawn)


def test_a_later_decision_of_the_other_is_taken_over_in_its_place() -> None:
    first, theirs, mine = row("ann", "1"), row("bob", "2"), row("eve", "3")
    taken, disputed = merged_waivers((first,), (first, row("bob", "2", True)))
    assert waivers_in_force(taken) == {}
    assert disputed == []
    # Both say that it may stand: both rows stay, the later one in force.
    taken, disputed = merged_waivers((first, mine), (first, theirs))
    assert taken == (first, theirs, mine)
    assert disputed == []
    assert merged_waivers(taken, taken) == (taken, [])


def test_one_lets_it_stand_and_the_other_no_longer(z: AnnotatedModel) -> None:
    changed = z.waive("f9", author="bob", reason="only here")
    back = z.unwaive("f9", author="eve")
    made, conflicts = changed.merge(back)
    assert made.waivers == changed.waivers
    (told,) = conflicts.to_dict("records")
    assert (told["what"], told["name"], told["here"], told["there"]) == (
        "waiver", "f9", "only here", None,
    )  # fmt: skip
    assert (told["author_here"], told["author_there"]) == ("bob", "eve")
    # Who knows of the first decision only takes the second over.
    assert z.merge(back)[0].waivers == back.waivers
