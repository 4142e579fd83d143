"""Words on units, read against the columns of a concept set."""

from __future__ import annotations

import pytest

from circuitz.lexicon.column_names import column_names
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.words.parsed_annotation import (
    ConceptColumns,
    parse_annotations_in_force,
)
from circuitz.z.annotation import Annotation

LEXICON = Lexicon.load()


def read(text: str, columns: tuple[str, ...], concepts: tuple[str, ...] = ()):
    annotation = Annotation("1", "conv:0", text, concepts)
    (said,) = parse_annotations_in_force(
        {"conv:0": annotation},
        ConceptColumns.from_reader(column_names(columns, LEXICON)),
        ("husky",),
    )
    return [name for name, _ in said.concepts], list(said.missing), said.classes


@pytest.mark.parametrize("column", ["anchor", "anchors", "Anchors"])
def test_a_thing_without_an_entry_is_judged_by_its_column(column: str) -> None:
    assert read("rusty anchors", (column, "snow")) == ([column], [], ())


def test_columns_that_differ_in_a_word_stay_apart() -> None:
    columns = ("rusty anchor", "little anchor")
    assert read("a rusty anchor", columns) == (["rusty anchor"], [], ())
    assert read("little anchors", columns) == (["little anchor"], [], ())
    assert read("an anchor", columns) == ([], [], ())


def test_words_that_repeat_a_label_name_it_whatever_the_lexicon_knows() -> None:
    assert read("big zorgle here", ("zorgle",)) == (["zorgle"], [], ())
    assert read("no zorgle", ("zorgle",)) == ([], [], ())
    assert read("zorgles of snow", ("zorgle", "snow"))[0] == ["zorgle", "snow"]


def test_words_that_name_a_class_are_no_concept() -> None:
    assert read("husky detector", ("snow",)) == ([], [], ("husky",))
