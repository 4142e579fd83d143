from __future__ import annotations

from collections.abc import Callable

import pytest

from circuitz.errors import LexiconError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.plausibility.report import Report
from circuitz.z.kinds_said import lexicon_in_force, with_concept_kind
from circuitz.z.model import AnnotatedModel

Plant = Callable[..., AnnotatedModel]
#: Two units see what the first column shows, whatever that is called, and make the first class.
WORDS = {0: "has loop", 1: "has loop", 2: "grass", 3: "pointed ears"}
COLUMNS = ("has loop", "grass", "sand", "pointed ears", "floppy ears", "fluffy coat", "curled tail")


@pytest.fixture(scope="module")
def z(plant: Plant) -> AnnotatedModel:
    return plant(concepts=COLUMNS, words=WORDS, groups=[(0, 1)], subject="digit")


@pytest.fixture(scope="module")
def report(z: AnnotatedModel) -> Report:
    return check(z)


def test_one_problem_names_what_nobody_knows_and_how_to_say_it(report: Report):
    (problem,) = (p for p in report.problems if p.code == "unknown-kinds")
    assert problem in report.problems[:2]
    assert "‘has loop’" in problem.message
    assert "a digit" in problem.message
    assert "circuitz concepts kind 'has loop' part --of digit" in problem.hint


def test_what_rests_on_an_unknown_kind_is_inconclusive_and_says_why(report: Report):
    about = [f for f in report.of("implausible-driver") if "has loop" in f.sentence]
    assert [f.verdict for f in about] == ["inconclusive"]
    (finding,) = about
    assert finding.units == ("conv4:0", "conv4:1")
    assert finding.target == ""
    assert "not known" in finding.sentence
    assert "circuitz concepts kind" in finding.decide
    assert finding.remedies[0].action == "kind"
    assert finding.remedies[0].arguments == {"concept": "has loop", "subject": "digit"}


def test_what_may_be_a_part_is_no_missing_support(plant: Plant):
    strange = {0: "has loop", 1: "has loop", 6: "curled tail"}
    z = plant(concepts=COLUMNS, words=strange, subject="dog")
    assert check(z).of("missing-support", "husky")[0].verdict != "flagged"


@pytest.mark.parametrize(("kind", "verdicts"), [("surroundings", ["flagged"]), ("part", [])])
def test_a_person_who_says_what_it_is_gets_the_verdict(
    z: AnnotatedModel, kind: str, verdicts: list[str]
):
    told = with_concept_kind(z, "has loop", kind, author="mira")
    report = check(told)
    found = [f for f in report.of("implausible-driver", "husky") if "has loop" in f.sentence]
    assert [f.verdict for f in found] == verdicts
    assert all("override by mira" in f.chain[0] for f in found)
    assert not any("‘has loop’" in p.message for p in report.problems if p.code == "unknown-kinds")


def test_what_was_said_last_counts_and_only_of_this_z(z: AnnotatedModel):
    first = with_concept_kind(z, "has loop", "surroundings", author="mira")
    both = with_concept_kind(first, "has loop", "part", author="ben")
    assert lexicon_in_force(both).support("has loop", "digit").verdict == "supports"
    assert lexicon_in_force(both).kind_origin("has loop") == "person"
    assert lexicon_in_force(both) is lexicon_in_force(both)
    assert lexicon_in_force(z) is Lexicon.load()
    assert Lexicon.load().kind("has loop") == "unknown"
    with pytest.raises(LexiconError, match="no kind"):
        with_concept_kind(z, "has loop", "weather", author="mira")
