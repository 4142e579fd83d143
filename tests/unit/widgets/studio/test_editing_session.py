from __future__ import annotations

import os
import threading

import pytest

from circuitz.errors import (
    AnnotationError,
    BundleError,
    CircuitzError,
    ConflictError,
    UnitError,
)
from circuitz.widgets.studio.editing_session import EditingSession, author_from_environment_or_login
from circuitz.z.bundle.load_save import load


@pytest.fixture
def path(z, tmp_path):
    return z.save(tmp_path / "dogs.z")


def texts(z):
    return {target: said.text for target, said in z.effective().items()}


def test_an_edit_is_on_disk_when_it_returns(path):
    desk = EditingSession(path, author="mira")
    desk.annotate("conv4:0", "white ground", 0.7)
    there = load(path)
    said = there.effective()["conv4:0"]
    assert (said.text, said.author, said.author_kind, said.confidence) == (
        "white ground",
        "mira",
        "person",
        0.7,
    )
    assert there.hash == desk.z.hash


def test_edits_undo_and_redo_survive_reopening(path):
    desk = EditingSession(path, author="mira")
    desk.annotate("conv4:0", "white ground")
    assert desk.undo()[0] == "conv4:0"
    again = EditingSession(path, author="mira")
    assert texts(again.z)["conv4:0"] == "snow"
    again.redo()
    assert texts(EditingSession(path).z)["conv4:0"] == "white ground"


def test_undo_never_takes_back_what_a_rule_proposed(path):
    desk = EditingSession(path)
    with pytest.raises(AnnotationError, match="nothing to undo"):
        desk.undo()
    assert len(desk.z.effective()) == 4


def test_empty_words_withdraw(path):
    desk = EditingSession(path)
    desk.annotate("conv4:0", "  ")
    assert "conv4:0" not in load(path).effective()
    with pytest.raises(AnnotationError, match="no words"):
        desk.annotate("conv4:0", "")


def test_findings_follow_an_edit_and_are_computed_once(path):
    desk = EditingSession(path)
    before = desk.report()
    assert desk.report() is before
    desk.annotate("conv4:0", "fluffy coat")
    after = {(f.kind, f.units): f.verdict for f in desk.report().findings}
    assert after["mislabelled-unit", ("conv4:0",)] == "flagged"
    desk.undo()
    again = {(f.kind, f.units): f.verdict for f in desk.report().findings}
    assert again == {(f.kind, f.units): f.verdict for f in before.findings}


def test_what_another_screen_wrote_is_taken_over_before_an_edit(path):
    here, there = EditingSession(path, author="mira"), EditingSession(path, author="jon")
    there.annotate("conv4:2", "ears that stand")
    here.annotate("conv4:0", "white ground")
    assert texts(here.z)["conv4:2"] == "ears that stand"
    assert not here.refresh()
    assert there.refresh()
    assert there.z.hash == here.z.hash == load(path).hash


def test_two_people_on_one_unit_is_a_conflict_that_names_both(path):
    here, there = EditingSession(path, author="mira"), EditingSession(path, author="jon")
    seen = here.z.effective()["conv4:0"].id
    there.annotate("conv4:0", "white ground", base=seen)
    with pytest.raises(ConflictError) as caught:
        here.annotate("conv4:0", "sky", base=seen)
    assert caught.value.theirs["text"] == "white ground"
    assert caught.value.theirs["author"] == "jon"
    assert texts(load(path))["conv4:0"] == "white ground"
    here.annotate("conv4:0", "sky", base=caught.value.theirs["id"])
    assert texts(load(path))["conv4:0"] == "sky"


def test_a_unit_cleared_by_somebody_else_is_a_conflict_too(path):
    here, there = EditingSession(path, author="mira"), EditingSession(path, author="jon")
    seen = here.z.effective()["conv4:0"].id
    there.annotate("conv4:0", "")
    with pytest.raises(ConflictError) as caught:
        here.annotate("conv4:0", "sky", base=seen)
    assert caught.value.theirs["text"] == ""
    here.annotate("conv4:0", "sky", base=caught.value.theirs["id"])
    assert texts(load(path))["conv4:0"] == "sky"


def test_many_at_once_lose_nothing(path):
    def work(unit: int) -> None:
        desk = EditingSession(path, author=f"person {unit}")
        for step in range(4):
            desk.annotate(f"conv4:{unit}", f"step {step}")

    threads = [threading.Thread(target=work, args=(unit,)) for unit in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    z = load(path)
    assert [texts(z)[f"conv4:{unit}"] for unit in range(4)] == ["step 3"] * 4
    assert len(z.log) == 4 + 16


def test_a_bundle_saved_anew_by_somebody_else_is_read_anew(path, z):
    desk = EditingSession(path)
    other = z.annotate("conv4:5", "something else", author="jon").with_(name="renamed")
    other.save(path)
    assert desk.refresh()
    assert desk.z.name == "renamed"
    assert texts(desk.z)["conv4:5"] == "something else"


def test_a_bundle_that_went_away_is_a_named_error_and_keeps_what_is_shown(path):
    desk = EditingSession(path)
    path.rename(path.with_name("gone.z"))
    with pytest.raises(BundleError):
        desk.annotate("conv4:0", "sky")
    assert texts(desk.z)["conv4:0"] == "snow"


@pytest.mark.skipif(os.name == "nt", reason="needs POSIX files")
def test_a_disk_that_refuses_changes_nothing(path, monkeypatch):
    desk = EditingSession(path)
    before = (path / "log.jsonl").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(CircuitzError) as caught:
        desk.annotate("conv4:0", "sky")
    assert caught.value.code == "bundle-write"
    assert (path / "log.jsonl").read_bytes() == before
    assert texts(desk.z)["conv4:0"] == "snow"
    monkeypatch.undo()
    desk.annotate("conv4:0", "sky")
    assert texts(load(path))["conv4:0"] == "sky"


@pytest.mark.parametrize(
    ("unit", "text", "confidence", "error"),
    [
        ("conv9:0", "x", 1.0, UnitError),
        ("conv4:99999999999999999999", "x", 1.0, UnitError),
        ("", "x", 1.0, UnitError),
        ("conv4:0", "x" * 100_000, 1.0, AnnotationError),
        ("conv4:0", "a\x00b", 1.0, AnnotationError),
        ("conv4:0", "x", float("nan"), AnnotationError),
        ("conv4:0", "x", 7.0, AnnotationError),
    ],
)
def test_bad_edits_are_named_and_change_nothing(path, unit, text, confidence, error):
    desk = EditingSession(path)
    with pytest.raises(error):
        desk.annotate(unit, text, confidence)
    assert load(path).hash == desk.z.hash


def test_a_waiver_needs_author_and_reason_and_is_kept(path):
    desk = EditingSession(path)
    finding = desk.report().flagged[0].id
    for author, reason in (("", "because"), ("mira", " ")):
        with pytest.raises(AnnotationError, match="author and a reason"):
            desk.waive(finding, author, reason)
    with pytest.raises(AnnotationError, match="no longer stands"):
        desk.waive("nothing", "mira", "because")
    desk.waive(finding, "mira", "known")
    again = EditingSession(path)
    assert {f.id: f.waiver for f in again.report().findings}[finding].reason == "known"
    again.annotate("conv4:0", "white ground")
    assert load(path).waivers == again.z.waivers


def test_a_waiver_is_changed_and_taken_back_by_two_at_once_and_nothing_is_lost(path):
    mine, theirs = EditingSession(path), EditingSession(path)
    finding = mine.report().flagged[0].id
    assert mine.waive(finding, "mira", "known") == "The finding is waived."
    assert theirs.waive(finding, "jon", "known here") == "The reason is changed."
    assert mine.unwaive(finding, "mira", "no longer") == "The waiver is taken back."
    with pytest.raises(AnnotationError, match="in force"):
        theirs.unwaive(finding, "jon")
    assert finding in {f.id for f in theirs.report().flagged}
    told = load(path).history(f"finding:{finding}")
    assert list(told["author"]) == ["mira", "jon", "mira"]


def test_a_z_from_a_bundle_is_edited_there_unless_it_has_edits_of_its_own(path):
    z = load(path)
    assert EditingSession(z).path == path
    assert EditingSession(z.annotate("conv4:0", "sky")).path is None


def test_a_z_never_saved_is_edited_in_memory(z):
    desk = EditingSession(z)
    assert desk.path is None
    desk.annotate("conv4:0", "sky")
    desk.undo()
    desk.redo()
    assert texts(desk.z)["conv4:0"] == "sky"
    assert not desk.refresh()


def test_replacing_z_writes_its_edits(path, z):
    desk = EditingSession(path)
    desk.replace_or_merge_model(desk.z.annotate("conv4:7", "eyes", author="mira"))
    assert texts(load(path))["conv4:7"] == "eyes"
    other = z.with_(weights={})
    desk.replace_or_merge_model(other)
    assert desk.path is None
    assert desk.z is other


def test_parse_tells_kind_and_why(path):
    chips = EditingSession(path).parse("snow behind pointed ears")
    assert [(chip["name"], chip["kind"]) for chip in chips] == [
        ("snow", "surroundings"),
        ("pointed ears", "attribute"),
    ]
    assert [chip["verdict"] for chip in chips] == ["opposes", "supports"]
    assert all(chip["why"] for chip in chips)
    assert EditingSession(path).parse("") == []


def test_the_author_can_be_named_by_the_environment(monkeypatch):
    monkeypatch.setenv("CIRCUITZ_AUTHOR", " Mira ")
    assert author_from_environment_or_login() == "Mira"


def test_what_somebody_says_a_concept_is_lies_on_disk_and_is_believed(path):
    desk = EditingSession(path, author="mira")
    said = desk.say_kind("snow", "part")
    assert "snow" in said
    assert desk.parse("snow")[0]["verdict"] == "supports"
    again = EditingSession(path, author="ben")
    assert again.lexicon.kind_origin("snow") == "person"
    assert "mira" in again.lexicon.support("snow", again.z.subject).chain[0]
    nobody = EditingSession(path, author="")
    with pytest.raises(AnnotationError, match="Nobody"):
        nobody.say_kind("snow", "part")
