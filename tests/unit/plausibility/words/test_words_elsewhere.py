from __future__ import annotations

from typing import Any

import pytest

from circuitz.errors import CheckError
from circuitz.plausibility.check import check
from circuitz.z.model import AnnotatedModel
from circuitz.z.word_tests import WordTest, with_word_tests

TRUE = {0: "snow", 1: "snow", 3: "pointed ears", 5: "fluffy coat"}
BEARING = {
    "snow": ("conv4:0", "conv4:1"), "pointed ears": ("conv4:3",), "fluffy coat": ("conv4:5",)
}  # fmt: skip
EVERYWHERE = ("concepts", "D", "D'")


def word_test(z: AnnotatedModel, word: str, population: Any, verdict: Any, **more: Any) -> WordTest:
    right = {"holds": 19, "fails": 9, "untested": 12}[verdict]
    facts: dict[str, Any] = {
        "word": word, "population": population, "half": "search", "verdict": verdict,
        "estimate": right / 20, "low": right / 20 - 0.1, "high": min(1.0, right / 20 + 0.1),
        "right": right, "answers": 20, "rater_error": 0.0, "gold": 12, "units": units(z, word),
        "weights_hash": z.weights_hash, "inputs": "d", "raters": ("Ada",),
    }  # fmt: skip
    return WordTest(**{**facts, **more})


def units(z: AnnotatedModel, word: str) -> tuple[str, ...]:
    layer = z.cut[0]
    return tuple(unit.replace("conv4", layer) for unit in BEARING[word])


def of_unit(report: Any, unit: str) -> Any:
    return next(f for f in report.findings if f.kind == "mislabelled-unit" and unit in f.units)


def test_a_word_that_people_say_fails_counts_as_none(plant: Any) -> None:
    z = plant(words=TRUE, groups=[(0, 1)])
    before = check(z)
    assert of_unit(before, units(z, "pointed ears")[0]).verdict == "supported"
    failed = with_word_tests(z, [word_test(z, "pointed ears", "D'", "fails", simulated=True)])
    report = check(failed)
    found = of_unit(report, units(z, "pointed ears")[0])
    assert found.verdict == "inconclusive"
    for said in ("D′", "simulated raters", "45 %", "20 pictures", "‘pointed ears’"):
        assert said in found.sentence
    assert "counts as not annotated" in found.decide
    # What rests on the word rests on nothing now, and the concept set still says what it said.
    assert report.unexplained["corgi"][0] > before.unexplained["corgi"][0] + 0.1
    assert [w.match.verdict for w in report.words] == [w.match.verdict for w in before.words]
    assert "on D′ 0 hold, ‘pointed ears’ fail, ‘snow’ and ‘fluffy coat’ not tested" in repr(report)
    assert "answers of simulated raters" in report._repr_html_()
    assert report.to_dict()["word_tests"][0]["word"] == "pointed ears"


def test_without_tests_a_report_is_what_it_was_and_says_what_is_missing(plant: Any) -> None:
    report = check(plant(words=TRUE))
    assert "words" not in report.hashes
    assert "populations" not in report.settings
    assert "word_tests" not in report.to_dict()
    assert "not tested where it will be used (D′)" in repr(report)
    assert "not tested where it will be used (D′)" in report._repr_html_()
    tested = report.frame.set_index("kind").tested_on
    assert set(tested["mislabelled-unit"]) == {"the concept set"}
    assert "where it will be used" not in repr(check(plant()))


@pytest.mark.parametrize(
    ("on_d", "on_shift", "counts"),
    [
        ("holds", "holds", True),
        ("holds", None, False),
        ("holds", "untested", False),
        ("fails", "holds", False),
    ],
)
def test_words_count_where_they_hold_on_all_populations_asked_for(
    plant: Any, on_d: str, on_shift: str | None, counts: bool
) -> None:
    z = plant(words=TRUE)
    tests = [word_test(z, "pointed ears", "D", on_d)]
    if on_shift:
        tests.append(word_test(z, "pointed ears", "D'", on_shift))
    report = check(with_word_tests(z, tests), populations=EVERYWHERE)
    ears = of_unit(report, units(z, "pointed ears")[0])
    assert (ears.verdict == "supported") == counts
    coat = of_unit(report, units(z, "fluffy coat")[0])
    assert coat.verdict == "inconclusive"
    assert "‘fluffy coat’ was not tested on D" in coat.sentence
    assert "circuitz words" in coat.decide
    assert report.settings["populations"] == "concepts, D, D'"
    assert ("words" in report.hashes) == bool(tests)


def test_a_check_on_test_never_sees_the_audit_half(plant: Any) -> None:
    z = plant(words=TRUE)
    ears = units(z, "pointed ears")[0]
    audit = with_word_tests(z, [word_test(z, "pointed ears", "D", "fails", half="audit")])
    assert of_unit(check(audit), ears).verdict == "supported"
    assert of_unit(check(audit, split="audit"), ears).verdict == "inconclusive"
    # What the search saw hold says nothing to export; fresh pictures clear a word that failed.
    search = with_word_tests(z, [word_test(z, "pointed ears", "D", "holds")])
    asked = check(search, split="audit", populations=("concepts", "D"))
    assert of_unit(asked, ears).verdict == "inconclusive"
    failed = with_word_tests(z, [word_test(z, "pointed ears", "D", "fails")])
    assert of_unit(check(failed, split="audit"), ears).verdict == "inconclusive"
    fresh = with_word_tests(failed, [word_test(z, "pointed ears", "D", "holds", half="audit")])
    assert of_unit(check(fresh, split="audit"), ears).verdict == "supported"


def test_a_test_of_other_units_or_weights_says_nothing(plant: Any) -> None:
    z = plant(words=TRUE)
    ears = units(z, "pointed ears")[0]
    other = word_test(z, "pointed ears", "D", "fails", units=(ears, units(z, "snow")[0]))
    assert of_unit(check(with_word_tests(z, [other])), ears).verdict == "supported"
    older = word_test(z, "pointed ears", "D", "fails", weights_hash="of another network")
    assert of_unit(check(with_word_tests(z, [older])), ears).verdict == "supported"


def test_populations_that_there_are_not_are_refused(plant: Any) -> None:
    with pytest.raises(CheckError, match="cannot be asked to hold"):
        check(plant(words=TRUE), populations=("D''",))  # pyright: ignore[reportArgumentType]
