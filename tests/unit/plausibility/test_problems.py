"""Bad input gives a named result, and never a silent *supported*."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from circuitz.errors import ContradictoryOverridesError, CyclicSynonymsError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.plausibility.problems import Problem
from circuitz.plausibility.report import Report

TRUE = {
    0: "snow", 1: "snow", 2: "grass", 3: "pointed ears", 4: "floppy ears", 5: "fluffy coat",
    6: "curled tail",
}  # fmt: skip


_NOT_RUN = ("words-newer-than-measurements",)


def problems(report: Report) -> list[Problem]:
    """Problems of a report; sets that no planted world has run are told by another test."""
    return [p for p in report.problems if p.code not in _NOT_RUN]


def codes(report: Report) -> list[str]:
    return [problem.code for problem in problems(report)]


def column(z, name: str, values) -> object:
    """Return z with another column of labels."""
    shown = z.concept_set
    table = shown.concepts.copy()
    at = shown.concept_names.index(name)
    table[:, at] = values(table[:, at].copy())
    return z.with_(concept_set=replace(shown, concepts=table))


def verdict(report: Report, unit: str) -> str:
    return next(f.verdict for f in report.of("mislabelled-unit") if f.units == (unit,))


def test_good_input_has_no_problems(plant) -> None:
    report = check(plant(words=TRUE))
    assert codes(report) == []
    told = report.to_dict()["problems"]
    assert [problem["code"] for problem in told] == ["words-newer-than-measurements"]
    assert report.decided


@pytest.mark.parametrize("names", [None, ()])
def test_no_concept_labels_at_all_is_a_report_that_offers_the_blind_test(plant, names) -> None:
    z = plant(words=TRUE)
    none = None if names is None else np.zeros((len(z.concept_set), 0), np.float32)
    report = check(z.with_(concept_set=replace(z.concept_set, concepts=none, concept_names=())))
    assert codes(report) == ["no-concept-labels"]
    assert "circuitz concepts blind" in problems(report)[0].hint
    assert "circuitz concepts ask" in problems(report)[0].hint
    assert not report.decided
    assert {f.verdict for f in report.findings} == {"inconclusive"}
    assert all(f.decide for f in report.findings)
    assert report.against() == "nothing could be decided"
    told = json.loads(report.to_json())["problems"]
    assert [problem["code"] for problem in told if problem["code"] not in _NOT_RUN] == [
        "no-concept-labels"
    ]
    assert "no-concept-labels" in repr(report)
    assert "no-concept-labels" in report._repr_html_()


def test_a_concept_with_two_positives_decides_nothing(plant) -> None:
    def two(values: np.ndarray) -> np.ndarray:
        shown = np.flatnonzero(values)
        values[:] = 0
        values[shown[:2]] = 1
        return values

    report = check(column(plant(words=TRUE), "snow", two))
    assert codes(report) == ["too-few-labelled"]
    assert "‘snow’ has" in problems(report)[0].message
    assert verdict(report, "conv4:0") == "inconclusive"
    assert verdict(report, "conv4:3") == "supported"
    snow = [f for f in report.findings if f.verdict == "supported" and "snow" in f.sentence]
    assert snow == []


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_a_concept_labelled_alike_everywhere_decides_nothing(plant, value) -> None:
    report = check(column(plant(words=TRUE), "snow", lambda v: np.full_like(v, value)))
    assert codes(report) == ["no-variation"]
    assert verdict(report, "conv4:0") == "inconclusive"


@pytest.mark.parametrize("value", [0.0, 1.0, np.nan])
def test_a_concept_set_without_any_variation_supports_nothing(plant, value) -> None:
    z = plant(words=TRUE)
    flat = np.full_like(z.concept_set.concepts, value)
    report = check(z.with_(concept_set=replace(z.concept_set, concepts=flat)))
    assert codes(report) == ["no-variation"]
    assert "Every concept" in problems(report)[0].message
    assert not [f for f in report.findings if f.verdict == "supported"]
    assert {f.verdict for f in report.of("mislabelled-unit")} == {"inconclusive"}


def test_all_units_annotated_alike_are_supported_only_where_it_is_true(plant) -> None:
    report = check(plant(words=dict.fromkeys(range(8), "snow")))
    assert codes(report) == ["all-alike"]
    assert {u for u in range(8) if verdict(report, f"conv4:{u}") == "supported"} <= {0, 1}
    assert verdict(report, "conv4:3") == "flagged"


@pytest.mark.parametrize(
    "text", ["zorgle", "Schneedecke unter den Pfoten", "снег", "雪", "???", "[bold]x[/bold]"]
)
def test_words_of_another_language_or_none_are_named_and_count_as_none(plant, text) -> None:
    report = check(plant(words={**TRUE, 0: text}))
    assert codes(report) == ["unknown-words"]
    assert "conv4:0" in problems(report)[0].message
    assert verdict(report, "conv4:0") == "inconclusive"
    assert "conv4:0" not in {
        u for f in report.findings if f.verdict == "supported" for u in f.units
    } - {f.units[0] for f in report.of("mislabelled-unit")}


def test_words_that_the_concept_set_does_not_label_are_named(plant) -> None:
    report = check(plant(words={**TRUE, 0: "umbrellas", 1: "collar"}))
    assert codes(report) == ["unlabelled-words"]
    assert "‘umbrella’ and ‘collar’" in problems(report)[0].message
    assert verdict(report, "conv4:0") == verdict(report, "conv4:1") == "inconclusive"


def test_nothing_annotated_is_named_and_cannot_pass(plant) -> None:
    report = check(plant())
    assert codes(report) == ["no-annotations"]
    assert not [f for f in report.findings if f.verdict == "supported"]


def test_labels_of_a_simulated_rater_are_called_so(plant) -> None:
    record = {
        "word": "snow", "rows": [1], "after": [1.0], "rater_kinds": ["simulated"], "undone": False,
    }  # fmt: skip
    z = plant(words=TRUE)
    report = check(z.with_(notes={"concept_labels": [record]}))
    assert codes(report) == ["simulated-labels"]
    assert codes(check(z.with_(notes={"concept_labels": [{**record, "undone": True}]}))) == []


def test_overrides_that_contradict_and_synonyms_in_a_circle_are_named_before_any_check() -> None:
    head = "overrides:\n"
    kinds = "".join(
        f"- {{concept: snow, kind: {k}, author: {a}}}\n"
        for k, a in (("part", "ana"), ("surroundings", "ben"))
    )
    with pytest.raises(ContradictoryOverridesError):
        Lexicon.from_text(head + kinds)
    circle = (
        "concepts:\n  zig: {kind: part, synonyms: [zag]}\n  zag: {kind: part, synonyms: [zig]}\n"
    )
    with pytest.raises(CyclicSynonymsError):
        Lexicon.from_text(circle)


def test_stale_measurements_do_not_pass(plant, change) -> None:
    report = check(change(plant(words={3: "pointed ears"}), weights_hash="not these"))
    if not report.flagged:
        assert "weights" in report.against()
    assert report.against()
