from __future__ import annotations

import math

import pytest

from circuitz.plausibility import prose


@pytest.mark.parametrize(
    ("value", "text"), [(0.713, "71 %"), (-0.021, "−2 %"), (-0.001, "0 %"), (1.0, "100 %")]
)
def test_percent(value: float, text: str) -> None:
    assert prose.percent(value) == text


def test_intervals_that_are_not_known_say_so() -> None:
    assert prose.format_share_with_interval(0.71, 0.65, 0.77) == "71 % [65, 77]"
    assert prose.format_share_with_interval(0.5, -math.inf, math.inf) == "50 % [unknown]"
    assert prose.format_share_with_interval(math.nan, -math.inf, math.inf) == "an unknown share"


def test_lists_and_nouns() -> None:
    assert prose.list_in_prose([]) == ""
    assert prose.list_in_prose(["a"]) == "a"
    assert prose.list_in_prose(["a", "b", "c"]) == "a, b and c"
    assert prose.list_quoted_names(["ears", "tail"]) == "‘ears’ and ‘tail’"
    assert prose.abbreviate_units(["u:1", "u:2", "u:3", "u:4"]) == "u:1, u:2, u:3, u:4"
    assert prose.abbreviate_units([f"u:{i}" for i in range(9)]) == "u:0, u:1, u:2 and 6 more"
    assert (prose.noun_with_article("owl"), prose.noun_with_article("dog")) == ("an owl", "a dog")
    assert (
        prose.format_count_with_noun(1, "unit"),
        prose.format_count_with_noun(1200, "unit"),
    ) == (
        "1 unit",
        "1,200 units",
    )
