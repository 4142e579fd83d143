from __future__ import annotations

import numpy as np
import pytest

from circuitz.data.folders.synonyms import join_synonym_columns
from circuitz.errors import ContradictingColumnsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.inputs import InputSet

KNOWN = Lexicon.load()
NAN = float("nan")


def labelled(rows: list[list[float]], *names: str, pairs: list[list[int]] | None = None):
    return InputSet(
        np.zeros((len(rows), 8, 8, 3), np.uint8),
        concepts=np.array(rows, np.float32),
        concept_names=names,
        pairs=None if pairs is None else np.array(pairs),
    )


def test_synonyms_become_one_column_and_the_others_stay():
    rows = [[1, 0, NAN, 1], [0, 1, 0, 0], [NAN, 1, 1, 1], [NAN, 0, NAN, 0]]
    both = [[1, 0, 1, 0], [0, 0, 0, 0]] * 75 + [[1, 0, 0, 0]]
    made, remarks = join_synonym_columns(
        labelled(
            [*rows, *both], "fur", "snow", "coat", "my own word", pairs=[[0, 1, 2], [2, 3, 3]]
        ),
        KNOWN,
    )
    assert made.concept_names == ("fur", "snow", "my own word")
    assert made.concepts is not None
    np.testing.assert_array_equal(made.concepts[:4, 0], [1, 0, 1, NAN])
    np.testing.assert_array_equal(made.concepts[:4, 1], [0, 1, 1, 0])
    assert np.isnan(made.concepts[-1, 0])
    assert made.concepts.dtype == np.float32
    assert made.pairs is not None
    assert made.pairs.tolist() == [[0, 1, 0], [2, 3, 2]]
    assert remarks == (
        "The columns ‘fur’ and ‘coat’ are one concept: taken together as fur, not known in the 1 "
        "pictures where they differ.",
    )


def test_columns_that_contradict_each_other_are_named():
    with pytest.raises(ContradictingColumnsError, match=r"‘fur’ and ‘coat’ .*differ in 1\)"):
        join_synonym_columns(labelled([[1, 0], [0, 0]], "fur", "coat"), KNOWN)


def test_synonyms_in_doubt_are_asked_about_and_stay_two():
    given = labelled([[1, 1], [0, 0]] * 19 + [[1, 0], [0, 0]], "fur", "coat")
    made, (remark,) = join_synonym_columns(given, KNOWN)
    assert made is given
    assert "are they one concept?" in remark
    assert "concepts override coat --synonym fur" in remark


def test_without_synonyms_nothing_is_touched():
    # Both name wings, of two colours: kinds of one thing, and no synonyms.
    given = labelled([[1, 0], [0, 1]], "blue wings", "striped wings")
    assert join_synonym_columns(given, KNOWN) == (given, ())
    hair = labelled([[1, 1], [0, 0]] * 20, "Blond_Hair", "Wavy_Hair")
    assert join_synonym_columns(hair, KNOWN) == (hair, ())
    bare = InputSet(np.zeros((1, 8, 8, 3), np.uint8))
    assert join_synonym_columns(bare, KNOWN) == (bare, ())
