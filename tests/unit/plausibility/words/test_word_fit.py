from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from circuitz.plausibility import case
from circuitz.plausibility.check import check
from circuitz.plausibility.words import parsed_annotation
from circuitz.plausibility.words import word_fit as words
from circuitz.plausibility.words.match_tables import TABLES
from circuitz.z.finding import Finding
from circuitz.z.model import AnnotatedModel

TRUE = {0: "snow", 1: "snow", 2: "grass", 3: "pointed ears", 4: "floppy ears", 5: "fluffy coat"}


@pytest.fixture
def tested(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Targets whose words were tested, as they are."""
    seen: list[str] = []
    plain = words._test_words_of_drafts

    def watched(drafts, *rest):
        seen.extend(draft.parsed.target for draft in drafts)
        return plain(drafts, *rest)

    monkeypatch.setattr(words, "_test_words_of_drafts", watched)
    return seen


def _edits(z: AnnotatedModel) -> Iterator[AnnotatedModel]:
    yield z
    for target, text in (
        ("conv4:0", "floppy ears"),
        ("conv4:6", "curled tail"),
        ("conv4:7", "husky detector"),
        ("group:conv4:0,conv4:1", "snow"),
        ("conv4:2", "gibberish"),
        ("conv4:0", "snow and grass"),
    ):
        z = z.annotate(target, text)
        yield z
    yield z.retract("conv4:3")
    yield z.undo()


def _forget() -> None:
    TABLES.clear()
    case._JOINTS.clear()
    parsed_annotation._COLUMNS.clear()


def _said(finding: Finding) -> tuple[object, ...]:
    f = finding
    return f.id, f.units, f.verdict, f.sentence, f.decide, f.family, f.chain, f.remedies, f.hashes


def _figures(finding: Finding) -> list[float]:
    f = finding
    effects = [x for e in f.effects for x in (e.estimate, e.low, e.high, e.p, e.gap)]
    return [f.estimate, *f.ci, f.p, f.q, f.power, *effects]


def test_only_words_that_were_edited_are_tested_again(plant, tested) -> None:
    z = plant(words=TRUE)
    check(z)
    assert sorted(tested) == [f"conv4:{unit}" for unit in TRUE]
    tested.clear()
    edited = z.annotate("conv4:2", "sand")
    check(edited)
    assert tested == ["conv4:2"]
    tested.clear()
    check(edited.annotate("conv4:7", "snow").retract("conv4:1"))
    assert tested == ["conv4:7"]
    tested.clear()
    check(z)
    assert tested == []


def test_findings_after_edits_are_those_of_a_fresh_look(plant) -> None:
    z = plant(words=TRUE, groups=[(0, 1), (3, 4, 5)])
    after = [check(one) for one in _edits(z)]
    for one, report in zip(_edits(z), after, strict=True):
        _forget()
        fresh = check(one)
        assert [_said(f) for f in report.findings] == [_said(f) for f in fresh.findings]
        for kept, new in zip(report.findings, fresh.findings, strict=True):
            # Sums of one column and of many may differ in the last bits.
            assert _figures(kept) == pytest.approx(_figures(new), rel=1e-9, abs=1e-9, nan_ok=True)
        assert report.problems == fresh.problems


@pytest.mark.parametrize("what", ["split", "bar", "subject", "responses", "labels", "weights"])
def test_all_that_verdicts_rest_on_makes_them_anew(plant, tested, what) -> None:
    z = plant(words=TRUE)
    check(z)
    tested.clear()
    settings = {}
    if what == "split":
        settings["split"] = "audit"
    elif what == "bar":
        settings["match_bar"] = 0.9
    elif what == "subject":
        z = z.with_(subject="beach")
    elif what == "responses":
        layer = z.measurements.layers["conv4"]
        layer = replace(layer, responses=layer.responses * 2)
        z = z.with_(measurements=replace(z.measurements, layers={"conv4": layer}))
    elif what == "labels":
        z = z.with_(concept_set=replace(z.concept_set, concepts=1 - z.concept_set.concepts))
    else:
        z = plant(seed=1, words=TRUE)
    check(z, **settings)
    assert len(tested) == len(TRUE)
