"""Laws of z: edits, undo, hashes, merging."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from circuitz.errors import AnnotationError
from circuitz.z.edits import history
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel

BASE = AnnotatedModel(
    "m",
    ("husky", "poodle"),
    layers=(LayerSpec("conv", 4),),
    cut=("conv",),
    builder="b",
    weights={"w": np.arange(3.0)},
)
TARGETS = st.sampled_from([*(f"conv:{i}" for i in range(4)), "output:husky", "group:conv:0,conv:1"])
WORDS = st.text(
    st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Cf")), min_size=1, max_size=12
).filter(str.strip)
EDIT = st.tuples(
    st.just("annotate"),
    TARGETS,
    WORDS,
    st.lists(WORDS, max_size=2),
    st.sampled_from(["person", "rule", "model"]),
    st.floats(0, 1),
)
STEP = st.one_of(
    EDIT, st.tuples(st.just("retract"), TARGETS), st.tuples(st.sampled_from(["undo", "redo"]))
)


def apply(z: AnnotatedModel, step: tuple[Any, ...]) -> AnnotatedModel:
    """Take a step; one that is refused changes nothing."""
    try:
        if step[0] == "annotate":
            _, target, text, concepts, kind, sure = step
            return z.annotate(target, text, concepts=concepts, author_kind=kind, confidence=sure)
        if step[0] == "retract":
            return z.retract(step[1])
        return z.undo() if step[0] == "undo" else z.redo()
    except AnnotationError:
        return z


def run(steps: list[tuple[Any, ...]], z: AnnotatedModel = BASE) -> AnnotatedModel:
    for step in steps:
        z = apply(z, step)
    return z


def said(z: AnnotatedModel) -> dict[str, tuple[Any, ...]]:
    return {t: (e.text, e.concepts, e.confidence) for t, e in z.effective().items()}


@given(st.lists(STEP, max_size=12))
def test_undoing_everything_leads_back_to_the_start_and_redoing_to_the_end(
    steps: list[tuple[Any, ...]],
) -> None:
    end = run(steps)
    edits = len(history.replay_log(end.log).active)
    hashes = [end.hash]
    z = end
    for _ in range(edits):
        z = z.undo()
        hashes.append(z.hash)
    assert z.hash == BASE.hash
    assert said(z) == {}
    for wanted in reversed(hashes[:-1]):
        z = z.redo()
        assert z.hash == wanted
    assert said(z) == said(end)


@given(st.lists(STEP, max_size=12), STEP)
def test_undo_is_the_inverse_of_an_edit(steps: list[tuple[Any, ...]], edit: Any) -> None:
    before = run(steps)
    after = apply(before, edit)
    if after is not before and edit[0] in ("annotate", "retract"):
        for _ in range(len(after.log) - len(before.log)):
            after = after.undo()
        assert said(after) == said(before)
        assert after.hash == before.hash


@given(st.lists(STEP, max_size=12), st.text(max_size=5), st.randoms())
def test_the_hash_knows_words_and_not_who_wrote_them_when_or_in_which_order(
    steps: list[tuple[Any, ...]], author: str, chance: Any
) -> None:
    z = run(steps)
    other = tuple(replace(e, author=author, time="then", lexicon_hash="l") for e in z.log)
    assert z.with_(log=other).hash == z.hash
    # Written afresh by one person, in another order, the same words are the same z.
    words = list(said(z).items())
    chance.shuffle(words)
    fresh = BASE
    for target, (text, concepts, sure) in words:
        fresh = fresh.annotate(target, text, concepts=concepts, confidence=sure)
    assert fresh.hash == z.hash


@given(st.lists(STEP, max_size=8), st.lists(STEP, max_size=8))
def test_two_z_have_one_hash_exactly_when_they_say_the_same(
    one: list[tuple[Any, ...]], two: list[tuple[Any, ...]]
) -> None:
    a, b = run(one), run(two)
    assert (a.hash == b.hash) == (said(a) == said(b))
    assert a.diff(b).empty == (said(a) == said(b))
    assert len(a.diff(b)) == len(b.diff(a))


@given(st.lists(STEP, max_size=6), st.lists(STEP, max_size=5), st.lists(STEP, max_size=5))
def test_a_merge_takes_over_or_lists_every_change_and_loses_none_of_ours(
    shared: list[tuple[Any, ...]], ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]
) -> None:
    base = run(shared)
    a, b = run(ours, base), run(theirs, base)
    merged, conflicts = a.merge(b)
    listed = set(conflicts["name"])
    assert merged.log[: len(a.log)] == a.log
    changed = {e.target for e in a.log[len(base.log) :]}
    for target in changed | listed:
        assert said(merged).get(target) == said(a).get(target)
    for target in {e.target for e in b.log[len(base.log) :]} - changed:
        assert said(merged).get(target) == said(b).get(target)
    for target in listed:
        assert said(a).get(target) != said(b).get(target)
    again, same = merged.merge(b)
    assert again.log == merged.log
    assert set(same["name"]) == listed


@settings(max_examples=50)
@given(st.lists(STEP, max_size=12))
def test_history_lists_every_entry_and_marks_what_stands(steps: list[tuple[Any, ...]]) -> None:
    z = run(steps)
    table = z.history()
    assert list(table["id"]) == [entry.id for entry in z.log]
    assert set(table[table["standing"]]["id"]) == {e.id for e in z.effective().values()}
    assert len(z.annotations) == len(z.effective())
