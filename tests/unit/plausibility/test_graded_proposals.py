"""Proposed words say with what else a unit responds, and nothing else changes by it."""

from __future__ import annotations

import pytest

from circuitz.cards.make_card import card
from circuitz.errors import AnnotationError
from circuitz.plausibility.check import check
from circuitz.plausibility.graded_proposals import grade_words
from circuitz.plausibility.propose import propose
from tests.unit.plausibility.conftest import SEES as PLANTED

# As the planted world's units, but two of them respond to something else besides.
SEES = tuple(
    {**unit, **{0: {"fluffy coat": 0.4}, 3: {"curled tail": -0.5, "sand": 0.4}}.get(i, {})}
    for i, unit in enumerate(PLANTED)
)


def said(z) -> dict[str, str]:
    return {target: entry.text for target, entry in z.effective().items()}


@pytest.fixture
def proposed(plant):
    return propose(plant(sees=SEES))


def test_units_are_told_with_what_they_respond_more_and_less(proposed) -> None:
    z = grade_words(proposed)
    texts = said(z)
    assert texts["conv4:0"] == "snow, more with fluffy coat"
    assert texts["conv4:3"] == "pointed ears, less with curled tail, more with sand"
    for plain in ("conv4:1", "conv4:2", "conv4:5", "conv4:6"):
        assert texts[plain] == said(proposed)[plain]
    entry = z.effective()["conv4:0"]
    assert (entry.concepts, entry.author_kind) == (("snow",), "rule")
    assert said(grade_words(proposed, words_per_unit=2))["conv4:3"] == (
        "pointed ears, less with curled tail"
    )


def test_checks_and_cards_read_the_main_word_alone(proposed) -> None:
    z = grade_words(proposed)
    before, after = check(proposed), check(z)
    assert [(f.kind, f.units, f.target, f.verdict, f.estimate) for f in after.findings] == [
        (f.kind, f.units, f.target, f.verdict, f.estimate) for f in before.findings
    ]
    assert card(z, after).classes == card(proposed, before).classes


def test_it_is_done_once_taken_back_and_left_alone_by_proposals(proposed) -> None:
    z = grade_words(proposed)
    assert grade_words(z) is z
    assert propose(z) is z
    assert said(grade_words(z, words_per_unit=1)) == said(proposed)
    # What a person took back stays so, however fully it was told.
    assert "conv4:0" not in said(propose(z.retract("conv4:0", author="anna")))


def test_what_people_wrote_is_left_as_it_is(proposed) -> None:
    z = grade_words(proposed.annotate("conv4:0", "snow", author="anna"))
    assert said(z)["conv4:0"] == "snow"


def test_no_words_at_all_are_refused(proposed) -> None:
    with pytest.raises(AnnotationError, match="0 words"):
        grade_words(proposed, words_per_unit=0)
