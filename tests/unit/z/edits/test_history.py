from __future__ import annotations

from dataclasses import replace

import pytest

from circuitz.errors import AnnotationError
from circuitz.z.annotation import Annotation
from circuitz.z.edits import history


def entry(id: str, target: str = "conv:1", text: str = "snow", **more: object) -> Annotation:
    return Annotation(id=id, target=target, text=text, **more)


def words(log: tuple[Annotation, ...]) -> dict[str, str]:
    return {target: said.text for target, said in history.annotations_in_force(log).items()}


def test_the_latest_annotation_of_equals_is_in_force() -> None:
    assert words((entry("a", text="ears"), entry("b", text="snow"))) == {"conv:1": "snow"}


def test_a_person_beats_a_model_beats_a_rule_whatever_the_order() -> None:
    person = entry("a", text="person")
    model = entry("b", text="model", author_kind="model")
    rule = entry("c", text="rule", author_kind="rule")
    assert words((person, model, rule)) == {"conv:1": "person"}
    assert words((model, rule)) == {"conv:1": "model"}
    assert words((rule,)) == {"conv:1": "rule"}


def test_a_rule_does_not_supersede_a_persons_word() -> None:
    person = entry("a")
    assert history.id_of_superseded_annotation([person], "rule") == ""
    assert history.id_of_superseded_annotation([person], "person") == "a"


def test_undo_and_redo_walk_through_all_edits() -> None:
    log = tuple(entry(str(i), text=f"text {i}", supersedes=str(i - 1) * (i > 0)) for i in range(5))
    seen = []
    for _ in range(5):
        seen.append(words(log).get("conv:1"))
        log = (*log, history.undo_entry(log))
    assert seen == ["text 4", "text 3", "text 2", "text 1", "text 0"]
    assert words(log) == {}
    with pytest.raises(AnnotationError, match="nothing to undo"):
        history.undo_entry(log)
    for i in range(5):
        log = (*log, history.redo_entry(log))
        assert words(log) == {"conv:1": f"text {i}"}
    with pytest.raises(AnnotationError, match="nothing to redo"):
        history.redo_entry(log)
    log = (*log, history.undo_entry(log))
    assert words(log) == {"conv:1": "text 3"}


def test_an_edit_after_an_undo_clears_redo() -> None:
    log = (entry("a"), entry("b", target="conv:2"))
    log = (*log, history.undo_entry(log))
    assert history.redo_entry(log).undoes
    log = (*log, entry("c", target="conv:3"))
    with pytest.raises(AnnotationError, match="redo"):
        history.redo_entry(log)
    assert set(words(log)) == {"conv:1", "conv:3"}


def test_undoing_a_retraction_brings_the_annotation_back() -> None:
    log = (entry("a"),)
    log = (*log, *history.retraction_entries(log, "conv:1", author="ann"))
    assert words(log) == {}
    log = (*log, history.undo_entry(log))
    assert words(log) == {"conv:1": "snow"}


def test_retracting_a_target_withdraws_everything_that_stands_there() -> None:
    log = (entry("r", text="rule", author_kind="rule"), entry("p", text="person"))
    log = (*log, *history.retraction_entries(log, "conv:1", author=""))
    assert words(log) == {}
    # The one that was in force is the first to come back.
    assert words((*log, history.undo_entry(log))) == {"conv:1": "person"}


def test_retracting_by_id_uncovers_what_stands_below() -> None:
    log = (entry("r", text="rule", author_kind="rule"), entry("p", text="person"))
    log = (*log, *history.retraction_entries(log, "p", author=""))
    assert words(log) == {"conv:1": "rule"}


def test_retracting_nothing_is_an_error() -> None:
    with pytest.raises(AnnotationError, match="No annotation stands"):
        history.retraction_entries((), "conv:1", author="")


def test_a_log_that_repeats_an_id_or_misses_one_is_refused() -> None:
    with pytest.raises(AnnotationError, match="twice"):
        history.replay_log((entry("a"), entry("a")))
    with pytest.raises(AnnotationError, match="does not hold"):
        history.replay_log((entry("a", undoes="gone"),))


def test_the_table_says_what_happened() -> None:
    log = (entry("a", text="ears"),)
    log = (*log, entry("b", text="snow", supersedes="a"))
    log = (*log, *history.retraction_entries(log, "conv:1", author="bob"))
    log = (*log, history.undo_entry(log))
    log = (*log, history.redo_entry(log))
    log = (*log, entry("z", target="conv:2"))
    table = history.history_table(log)
    assert list(table["what"]) == [
        "annotated", "replaced", "retracted", "undid", "redid", "annotated",
    ]  # fmt: skip
    assert list(table["text"][:5]) == ["ears", "snow", "snow", "snow", "snow"]
    assert list(table["standing"]) == [False, False, False, False, False, True]
    assert list(history.history_table(log, "conv:2")["id"]) == ["z"]
    empty = history.history_table(())
    assert list(empty[empty["standing"]].columns) == list(history.COLUMNS)


def test_newest_leaves_out_what_is_known() -> None:
    log = (entry("a"), entry("b"))
    assert history.entries_not_in(log, ["a"]) == (entry("b"),)


def test_ids_are_new_and_times_are_utc() -> None:
    assert len({history.random_entry_id() for _ in range(100)}) == 100
    assert history.utc_timestamp().endswith("+00:00")


def test_reading_a_long_log_stays_fast() -> None:
    log = tuple(entry(str(i), target=f"conv:{i % 500}") for i in range(20_000))
    log = tuple(replace(e, supersedes=str(i - 500) if i >= 500 else "") for i, e in enumerate(log))
    assert len(history.annotations_in_force(log)) == 500
