from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circuitz.stats.agreement import krippendorff_alpha, right_share_with_interval


def alpha_from_coincidences(units: list[list[str]]) -> float | None:
    """Krippendorff (Computing Krippendorff's alpha, 2011, C): by the matrix of coincidences."""
    paired = [unit for unit in units if len(unit) > 1]
    names = sorted({value for unit in paired for value in unit})
    matrix = np.zeros((len(names), len(names)))
    for unit in paired:
        for a, b in permutations(unit, 2):
            matrix[names.index(a), names.index(b)] += 1 / (len(unit) - 1)
    marginal, n = matrix.sum(1), matrix.sum()
    by_chance = float((marginal * (marginal - 1)).sum())
    if len(names) < 2:
        return None
    return ((n - 1) * float(np.trace(matrix)) - by_chance) / (n * (n - 1) - by_chance)


def test_alpha_of_known_cases() -> None:
    agree = {str(i): ["a", "a"] if i % 2 else ["b", "b"] for i in range(10)}
    found = krippendorff_alpha(agree)
    assert found is not None
    assert found.estimate == 1
    # Krippendorff's own example of four observers (Computing Krippendorff's alpha, 2011, C): .743.
    units = [
        "111",
        "2232",
        "3333",
        "3333",
        "2222",
        "1234",
        "4444",
        "1121",
        "2222",
        "555",
        "11",
        "3",
    ]
    found = krippendorff_alpha({str(i): list(unit) for i, unit in enumerate(units)})
    assert found is not None
    assert found.estimate == pytest.approx(0.743, abs=0.001)
    assert found.low < found.estimate < found.high
    assert found.n == 11


def test_alpha_where_there_is_nothing_to_agree_about() -> None:
    assert krippendorff_alpha({"x": ["a"], "y": ["b"]}) is None
    assert krippendorff_alpha({"x": ["a", "a"], "y": ["a", "a"]}) is None
    chance = krippendorff_alpha({str(i): ["a", "b"] for i in range(20)})
    assert chance is not None
    assert chance.estimate < 0


def test_shares_carry_their_interval() -> None:
    assert right_share_with_interval(0, 0) is None
    found = right_share_with_interval(8, 10)
    assert found is not None
    assert (found.estimate, round(found.low, 2), round(found.high, 2)) == (0.8, 0.49, 0.94)
    full = right_share_with_interval(5, 5)
    assert full is not None
    assert full.high == 1


@given(st.lists(st.lists(st.sampled_from("abcd"), max_size=4), max_size=25))
def test_alpha_is_that_of_the_matrix_of_coincidences(units: list[list[str]]) -> None:
    found = krippendorff_alpha({str(i): unit for i, unit in enumerate(units)})
    expected = alpha_from_coincidences(units)
    if expected is None:
        assert found is None
        return
    assert found is not None
    assert found.estimate == pytest.approx(expected, abs=1e-4)
    assert -1 <= found.low <= found.estimate <= found.high <= 1
    assert found.high - found.low > 0.05


@pytest.mark.parametrize("n", [3, 5, 20])
def test_full_agreement_on_a_few_pictures_is_not_certain(n: int) -> None:
    found = krippendorff_alpha(
        {str(i): [name, name] for i, name in zip(range(n), "ab" * n, strict=False)}
    )
    assert found is not None
    assert found.estimate == found.high == 1
    # What Wilson leaves possible of n pictures without a difference.
    share = right_share_with_interval(0, n)
    assert share is not None
    assert found.low < 1 - share.high
    other = krippendorff_alpha({str(i): ["a", "b"] for i in range(n)})
    assert other is not None
    assert other.estimate < 0
    assert other.low == -1
    assert other.high > other.estimate + 0.1


@pytest.mark.parametrize("units", [["ab"], ["aa", "bb"], ["ab", "ba"], ["aab", "b", "c"]])
def test_of_one_or_two_pictures_nothing_is_known(units: list[str]) -> None:
    found = krippendorff_alpha({str(i): list(unit) for i, unit in enumerate(units)})
    assert found is not None
    assert (found.low, found.high) == (-1, 1)


@pytest.mark.parametrize(("raters", "share"), [(2, 0.9), (2, 0.5), (3, 0.99)])
def test_the_interval_holds_the_truth_in_small_studies(raters: int, share: float) -> None:
    rng = np.random.default_rng(5)

    def study(n: int) -> dict[str, list[str]]:
        truth = rng.integers(0, 3, n)
        said = np.where(rng.random((raters, n)) < share, truth, rng.integers(0, 3, (raters, n)))
        return {str(i): [str(v) for v in said[:, i]] for i in range(n)}

    whole = krippendorff_alpha(study(20_000))
    assert whole is not None
    for n in (4, 12):
        found = [krippendorff_alpha(study(n)) for _ in range(40)]
        known = [f for f in found if f is not None]
        held = sum(f.low <= whole.estimate <= f.high for f in known)
        assert held >= 0.85 * len(known)
