"""The induction story, told small: what it shows, and that its page is whole."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

import circuitz as cz
from circuitz.demo.induction.induction_report import render_induction_page, write_induction_report
from circuitz.demo.induction.induction_run import (
    InductionSizes,
    name_chapters,
    run_induction_story,
)
from circuitz.demo.induction.induction_story import InductionStory
from circuitz.errors import InputsError

SMALL = InductionSizes(sequences=1500, pairs=120, effect_sequences=48)


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo") / "story"


@pytest.fixture(scope="module")
def steps() -> list[str]:
    """Names of the story's steps, in the order in which they began."""
    return []


@pytest.fixture(scope="module")
def story(out: Path, steps: list[str]) -> InductionStory:
    def note(what: str, _done: int, _total: int) -> None:
        if what not in steps:
            steps.append(what)

    return run_induction_story(out, sizes=SMALL, progress=note)


def test_every_step_is_one_of_the_chapters_in_their_order(
    story: InductionStory, steps: list[str]
) -> None:
    assert tuple(steps) == name_chapters(full=False)


def test_both_are_right_on_d_and_one_of_them_elsewhere(story: InductionStory) -> None:
    for name in ("induction", "fixed"):
        assert story.summary[name]["d_accuracy"] > 0.97
        assert story.summary[name]["on_fixed_accuracy"] > 0.97
    assert story.summary["induction"]["d_prime_accuracy"] > 0.97
    assert story.summary["fixed"]["d_prime_accuracy"] < 0.4


def test_right_words_are_supported_and_all_three_wrong_ones_flagged(story: InductionStory) -> None:
    words = [f for f in story.summary["induction"]["findings"] if f["kind"] == "mislabelled-unit"]
    assert words
    assert {f["verdict"] for f in words} == {"supported"}
    wrong = {
        unit
        for unit, said in story.swapped.effective().items()
        if "wrong on purpose" in said.author
    }
    assert len(wrong) == 3
    assert {f["units"][0] for f in story.summary["swapped"] if f["verdict"] == "flagged"} == wrong


def test_heads_called_by_their_score_on_d_are_flagged(story: InductionStory) -> None:
    assert set(story.summary["fixed"]["words"].values()) == {"induction head"}
    words = [f for f in story.summary["fixed"]["findings"] if f["kind"] == "mislabelled-unit"]
    assert {f["verdict"] for f in words} == {"flagged"}
    assert all("fixed distance" in f["sentence"] for f in words)


def test_under_its_right_name_the_second_model_is_implausible(story: InductionStory) -> None:
    found = story.summary["renamed"]
    assert "fixed distance" in found["words"].values()
    verdicts = [f["verdict"] for f in found["findings"] if f["kind"] == "implausible-driver"]
    assert verdicts.count("flagged") > 12


def test_the_circuit_runs_through_keys_and_patching_finds_both_places(
    story: InductionStory,
) -> None:
    parts = {edge["part"] for edge in story.summary["induction"]["edges"]}
    assert parts == {"key"}
    restored = story.patching.restored_share
    period = story.summary["patching"]["period"]
    assert restored[0].sum(1).argmax() == 32 - period
    assert restored[1, :-1].max() == 0
    assert restored[1, -1].sum() > 0.6


def test_bundles_open_with_words_edges_and_d(story: InductionStory, out: Path) -> None:
    for name in ("induction", "fixed"):
        z = cz.load(out / f"{name}.z")
        assert z.measurements is not None
        assert not z.stale
        assert not z.findings_stale
        assert z.data is not None
        assert z.data.vocabulary[0] == "a"
    z = cz.load(out / "induction.z")
    assert any(target.startswith("edge:") for target in z.effective())


def test_the_page_is_whole_and_asks_nobody(story: InductionStory, tmp_path: Path) -> None:
    page = render_induction_page(story)
    assert not re.search(r"https?://|<script|url\(", page.replace("url(#", ""))
    assert page.count('<article class="finding">') == 3 + 4 + 1
    for figure in ("Nothing in D tells them apart", "fixed distance", "induction head"):
        assert figure in page
    assert len(page) < 400_000
    file = write_induction_report(story, tmp_path / "a" / "report.html")
    assert file.read_text(encoding="utf-8") == page
    json.dumps(story.summary)


def test_a_folder_that_is_a_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    with pytest.raises(InputsError, match="cannot be used"):
        run_induction_story(file, sizes=SMALL)
