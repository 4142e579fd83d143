from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.evaluation.group_columns import MOST_WORDS, read_group_column

TABLE = Path("t.csv")


def read(*cells: str):
    return read_group_column("surroundings", cells, range(2, 2 + len(cells)), TABLE)


def test_ones_and_noughts_are_one_group() -> None:
    found = read("1", "0", "", "TRUE", "no", "nan", "1,0", "FALSCH")
    assert found.names == ("surroundings",)
    assert np.array_equal(found.values[:, 0], [1, 0, np.nan, 1, 0, np.nan, 1, 0], equal_nan=True)
    assert not found.remark


def test_each_word_is_a_group() -> None:
    found = read("snow", " grass", "", "snow|sand", "grass\u00a0", "nan")
    assert found.names == ("surroundings: grass", "surroundings: sand", "surroundings: snow")
    not_known = [np.nan] * 3
    wanted = [[0, 0, 1], [1, 0, 0], not_known, [0, 1, 1], [1, 0, 0], not_known]
    assert np.array_equal(found.values, wanted, equal_nan=True)
    assert "3 groups" in found.remark


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (("1", "0", "maybe"), "row 4 of t.csv is 'maybe', and in other rows '1'"),
        (("1", "-1"), "row 3 .*'-1', and numbers.*CelebA"),
        (("2019", "2020"), "'2019', and numbers.*camera 2"),
        (("0,5", "0,7"), "'0,5', and numbers"),
        (tuple(f"note {i}" for i in range(MOST_WORDS + 1)), "61 different words"),
    ],
)
def test_what_makes_no_groups_is_named(cells: tuple[str, ...], message: str) -> None:
    with pytest.raises(ConceptLabelsError) as caught:
        read(*cells)
    assert caught.match(message)


def test_words_that_differ_in_case_only_are_refused() -> None:
    with pytest.raises(InputsError, match="'Snow' and 'snow' differ in case only"):
        read("snow", "grass", "Snow")
