"""The concepts of a set: of what kind, who says so, how often shown."""

from __future__ import annotations

import numpy as np

from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet
from circuitz.z.model import AnnotatedModel
from circuitz.z.shown.concepts_frame import CONCEPT_COLUMNS, concepts_as_text, concepts_frame

LEXICON = Lexicon.load()
NAN = float("nan")


def labelled(names: tuple[str, ...], table: np.ndarray, split: bool = True) -> InputSet:
    return InputSet(
        np.zeros((len(table), 2, 2, 3), np.uint8),
        concepts=table.astype(np.float32),
        concept_names=names,
        split=(np.arange(len(table)) % 3).astype(np.uint8) if split else None,
    )


def test_each_column_has_a_row_with_its_kind_and_counts() -> None:
    table = np.array([[1, 0], [1, 1], [0, NAN], [1, 0], [0, 1], [0, 0]])
    found = concepts_frame(labelled(("snow", "zorgle"), table), LEXICON)
    assert list(found["name"]) == ["snow", "zorgle"]
    assert list(found["kind"]) == ["surroundings", "unknown"]
    assert list(found["kind_from"]) == ["shipped", "unknown"]
    snow, zorgle = found.to_dict("records")
    assert (snow["shown"], snow["not_shown"]) == (3, 3)
    assert (snow["shown_select"], snow["not_shown_select"]) == (2, 0)
    assert (zorgle["shown_audit"], zorgle["not_shown_audit"]) == (0, 1)


def test_who_says_of_what_kind_a_concept_is() -> None:
    told = LEXICON.with_override("snow", kind="part", part_of=["dog"], author="ada")
    project = Lexicon.from_text("concepts:\n  zorgle: {kind: artefact}\n")
    some = labelled(("snow", "zorgle"), np.array([[1, 0], [0, 1]]))
    assert list(concepts_frame(some, told)["kind_from"]) == ["person", "unknown"]
    assert list(concepts_frame(some, project)["kind_from"]) == ["shipped", "project"]


def test_what_is_one_concept_and_what_it_is_a_kind_of_is_shown() -> None:
    table = np.array([[1, 1, 1], [0, 0, 0]] * 20)
    found = concepts_frame(labelled(("grass", "lawn", "wavy hair"), table), LEXICON)
    assert list(found["same_as"]) == ["", "grass", ""]
    assert "hair" in found["is_a"][2]
    assert "the same as grass" in concepts_as_text(found)


def test_what_is_not_there_is_counted_as_none() -> None:
    unsplit = concepts_frame(labelled(("snow",), np.array([[1], [0]]), split=False), LEXICON)
    assert list(unsplit.loc[0, ["shown", "shown_select", "shown_test"]]) == [1, 0, 0]
    for none in (None, InputSet(np.zeros((1, 2, 2, 3), np.uint8))):
        empty = concepts_frame(none, LEXICON)
        assert list(empty.columns) == list(CONCEPT_COLUMNS)
        assert concepts_as_text(empty) == ""


def test_of_many_concepts_the_first_are_written() -> None:
    names = tuple(f"zorgle {i}" for i in range(8))
    text = concepts_as_text(concepts_frame(labelled(names, np.eye(8)), LEXICON), most=3)
    assert "8 concepts" in text
    assert "zorgle 2" in text
    assert "zorgle 3" not in text
    assert "5 more" in text


def test_a_z_tells_its_concepts(z: AnnotatedModel) -> None:
    assert list(z.concepts["name"]) == list(z.concept_set.concept_names)
