from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from circuitz.cards.card import Card
from circuitz.errors import BundleWriteError, MeasurementError
from circuitz.labelling.export import (
    card_in_notes,
    export,
    label_model_in_notes,
    waive,
    with_label_model,
)
from circuitz.labelling.labels.label_model import fit_label_model
from circuitz.labelling.refused import ExportRefusedError
from circuitz.plausibility.audit_reads import audit_reads
from circuitz.z.bundle.load_save import load
from circuitz.z.finding import Waiver
from circuitz.z.model import AnnotatedModel

Toy = Callable[..., AnnotatedModel]
# The toy has no D, so nobody can be asked what its units see there.
UNTESTED = waive("words-on-d", author="ada", reason="a toy has no D")


def test_a_sound_model_is_exported_with_card_and_story(toy: Toy, tmp_path: Path) -> None:
    z = toy()
    made = export(z, tmp_path / "star.z", author="ada", waivers=[UNTESTED])
    assert made.hash == z.hash
    back = load(tmp_path / "star.z")
    assert back.hash == z.hash
    card = card_in_notes(back)
    assert card is not None
    assert card.z_hash == z.hash
    assert [c.words for c in card.entry_of_class("husky").cues] == ["pointed ears"]
    assert [c.words for c in card.entry_of_class("corgi").cues] == ["floppy ears"]
    on_disk = Card.from_json(json.loads((tmp_path / "star.z" / "card.json").read_text()))
    assert on_disk == card
    assert "speaks for it: pointed ears" in back.story
    assert "read once" in back.story
    assert {f.split for f in (e for x in back.findings for e in x.effects)} == {"audit"}
    (read,) = audit_reads(back)
    assert (read["why"], read["author"], read["z"]) == ("export", "ada", z.hash)


def test_flagged_findings_refuse_and_the_reading_counts(toy: Toy, tmp_path: Path) -> None:
    z = toy(snow=0.6)
    with pytest.raises(ExportRefusedError, match="implausible-driver") as caught:
        export(z, tmp_path / "star.z", waivers=[UNTESTED])
    assert not (tmp_path / "star.z").exists()
    refused = caught.value
    assert {f.verdict for f in refused.findings} == {"flagged"}
    assert any(f.target == "output:husky" for f in refused.findings)
    assert refused.z is not None
    assert len(audit_reads(refused.z)) == 1
    with pytest.raises(ExportRefusedError) as again:
        export(refused.z, tmp_path / "star.z")
    assert again.value.z is not None
    assert len(audit_reads(again.value.z)) == 2


def test_waivers_need_author_and_reason_and_travel(toy: Toy, tmp_path: Path) -> None:
    z = toy(snow=0.6)
    with pytest.raises(ExportRefusedError) as caught:
        export(z, tmp_path / "star.z")
    standing = caught.value.findings
    for author, reason in (("", "because"), ("ada", " ")):
        with pytest.raises(ExportRefusedError, match="cannot be given"):
            waive(standing[0].id, author=author, reason=reason)
        with pytest.raises(ExportRefusedError, match="cannot be given"):
            export(z, tmp_path / "star.z", waivers=[Waiver(standing[0].id, author, reason, "")])
    given = [waive(f.id, author="ada", reason="only for *teaching*") for f in standing]
    if len(given) > 1:
        with pytest.raises(ExportRefusedError):
            export(z, tmp_path / "star.z", waivers=[*given[:1], UNTESTED])
    made = export(z, tmp_path / "star.z", waivers=[*given, UNTESTED])
    back = load(tmp_path / "star.z")
    assert [w.reason for w in back.waivers] == ["only for *teaching*"] * len(given)
    assert [f.waiver.author for f in back.findings if f.waiver] == ["ada"] * len(given)
    assert "Waived by ada: only for \\*teaching\\*" in made.story
    # The waiver is z's own now: exporting again needs no other. What was signed is signed anew.
    with pytest.raises(ExportRefusedError, match="nobody was asked"):
        export(back, tmp_path / "again.z")
    export(back, tmp_path / "again.z", waivers=[UNTESTED])


def test_a_waiver_for_nothing_is_refused(toy: Toy, tmp_path: Path) -> None:
    with pytest.raises(ExportRefusedError, match="no finding"):
        export(toy(), tmp_path / "star.z", waivers=[waive("abc", author="a", reason="b")])


def test_own_story_is_kept_and_the_rest_made_anew(toy: Toy, tmp_path: Path) -> None:
    z = toy().with_(story="# Mine\n\nWritten by hand.")
    first = export(z, tmp_path / "a.z", waivers=[UNTESTED])
    second = export(first, tmp_path / "a.z", waivers=[UNTESTED])
    assert second.story.startswith("# Mine\n\nWritten by hand.")
    assert second.story.count("How to tell") == 1
    assert "read 2 times" in second.story


def test_label_model_travels(toy: Toy, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=60)
    logits = np.eye(2)[labels] * 4
    model = fit_label_model(rng.normal(size=(60, 3)), logits, labels, ("husky", "corgi"))
    made = export(toy(), tmp_path / "a.z.zip", label_model=model, waivers=[UNTESTED])
    assert zipfile.is_zipfile(tmp_path / "a.z.zip")
    back = load(tmp_path / "a.z.zip")
    found = label_model_in_notes(back)
    assert found is not None
    assert found.to_json() == model.to_json()
    assert card_in_notes(back) == card_in_notes(made)
    plain = toy()
    assert label_model_in_notes(plain) is None
    assert card_in_notes(plain) is None
    assert with_label_model(plain, model).hash == plain.hash


def test_stale_and_unmeasured_models_are_not_exported(toy: Toy, tmp_path: Path) -> None:
    z = toy()
    changed = z.with_(weights={"w": np.zeros((4, 4), np.float32)})
    with pytest.raises(MeasurementError, match="Weights changed"):
        export(changed, tmp_path / "a.z")
    with pytest.raises(MeasurementError):
        export(z.with_(measurements=None), tmp_path / "a.z")


def test_what_is_there_is_left_alone(toy: Toy, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "text.md").write_text("years of work")
    with pytest.raises(BundleWriteError):
        export(toy(), tmp_path / "thesis")
    export(toy(), tmp_path / "a.z", waivers=[UNTESTED])
    with pytest.raises(BundleWriteError):
        export(toy(), tmp_path / "a.z", overwrite=False)
    assert (tmp_path / "thesis" / "text.md").read_text() == "years of work"
