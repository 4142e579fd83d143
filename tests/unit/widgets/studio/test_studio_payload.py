from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from circuitz.lexicon.lexicon import Lexicon
from circuitz.plausibility.check import check
from circuitz.widgets.studio import sprite_sheets as sheets
from circuitz.widgets.studio import studio_payload as payload
from circuitz.widgets.studio.unit_detail import unit_detail_payload, unit_edits_latest_first
from circuitz.widgets.studio.unit_table import UnitTable
from circuitz.z.finding import Waiver


def as_json(value: object) -> str:
    return json.dumps(value, allow_nan=False)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_pictures_of_any_channels_and_size_can_be_shown(channels):
    images = np.random.default_rng(0).integers(0, 255, (3, 300, 200, channels)).astype(np.uint8)
    png, size = sheets.encode_picture_strip(images, [2, 0])
    assert size == (149, 224)
    assert Image.open(io.BytesIO(png)).size == (2 * 149, 224)


def test_words_and_report_are_json_and_agree_with_the_check(z):
    report = check(z)
    shown = payload.report_payload(z, report)
    as_json(shown)
    as_json(payload.effective_words_payload(z, UnitTable(z)))
    assert [f["id"] for f in shown["findings"]] == [f.id for f in report.findings]
    assert [f["verdict"] for f in shown["findings"]] == [f.verdict for f in report.findings]
    assert shown["counts"]["flagged"] == len(report.flagged)
    assert {item["target"] for item in shown["unexplained"]} == set(z.classes)
    assert any(
        f["kind"] == "implausible-driver" and f["verdict"] == "flagged" for f in shown["findings"]
    )


def test_a_waived_finding_is_counted_apart(z):
    flagged = check(z).flagged
    waived = z.with_(waivers=(Waiver(flagged[0].id, "mira", "known", "now"),))
    shown = payload.report_payload(waived, check(waived))
    assert shown["waived"] == 1
    assert shown["counts"]["flagged"] == len(flagged) - 1
    back = waived.unwaive(flagged[0].id, author="jon")
    shown = payload.report_payload(back, check(back))
    assert (shown["waived"], shown["counts"]["flagged"]) == (0, len(flagged))
    (told,) = (f for f in shown["findings"] if f["id"] == flagged[0].id)
    assert told["waiver"] is None
    assert [(row["author"], row["withdrawn"]) for row in told["decided"]] == [
        ("jon", True),
        ("mira", False),
    ]


def test_remedies_are_what_the_screen_can_do_and_commands_quote_the_path(z):
    shown = payload.report_payload(z, check(z), "/tmp/my dogs.z")
    remedies = [item for f in shown["findings"] for item in f["remedies"]]
    assert {item["action"] for item in remedies} <= payload.ON_SCREEN
    commands = {item["command"] for item in remedies if item["action"] == "search"}
    assert commands == {"circuitz search '/tmp/my dogs.z' --out repaired.z"}
    for found in shown["findings"]:
        cuts = [item for item in found["remedies"] if item["action"] == "silence"]
        wanted = f"circuitz silence '/tmp/my dogs.z' --finding {found['id']} --out cut.z"
        assert {item["command"] for item in cuts} <= {wanted}
        assert cuts or found["kind"] not in ("implausible-driver", "unannotated-driver")
        asked = [item["command"] for item in found["remedies"] if item["action"] == "ask"]
        names = " ".join(found["units"][:8])
        wanted = [f"circuitz concepts blind '/tmp/my dogs.z' {names}"] if names else []
        assert asked == wanted


def test_findings_beyond_the_limit_are_counted(z, monkeypatch):
    monkeypatch.setattr(payload, "MOST_FINDINGS", 2)
    report = check(z)
    shown = payload.report_payload(z, report)
    assert len(shown["findings"]) == 2
    assert shown["unlisted"] == len(report.findings) - 2


def test_what_is_wrong_with_what_was_checked_is_told_by_name(z):
    shown = z.concept_set
    bare = replace(shown, concepts=None, concept_names=(), pairs=None)
    told = payload.report_payload(z, check(z.with_(concept_set=bare)))["problems"]
    assert [problem["code"] for problem in told] == ["no-concept-labels"]
    assert set(told[0]) == {"code", "message", "hint", "concepts"}


def test_head_says_what_is_missing(z, make_z):
    lexicon = Lexicon.load()

    def missing(of: object) -> str:
        return payload.title_and_editor_payload(
            of, path="", author="", lexicon=lexicon, revision=1
        )["missing"]

    assert missing(z) == ""
    assert "cz.measure" in missing(make_z(measured=False))
    assert "concept set" in missing(z.with_(concept_set=None))
    assert "Effects" in missing(
        z.with_(measurements=type(z.measurements)(layers=z.measurements.layers))
    )


def test_detail_shows_what_the_unit_is_about(z):
    facts, blobs = unit_detail_payload(z, "conv4:0", Lexicon.load())
    as_json(facts)
    assert facts["matches"][0]["concept"] == "snow"
    assert facts["matches"][0]["kind"] == "surroundings"
    assert all("snow" in exemplar["shows"] for exemplar in facts["exemplars"])
    assert facts["exemplars"][0]["box"] == [0.125, 0.25, 0.625, 0.75]
    assert facts["exemplars"][0]["peak"] == facts["max"]
    assert len(blobs["heat"]) == 9 * 4 * 4
    assert sum(facts["histogram"]["counts"]) == len(z.concept_set)
    assert Image.open(io.BytesIO(blobs["images"])).size == (9 * 16, 16)


def test_detail_of_what_was_not_measured_is_empty_but_there(z, make_z):
    for of, unit in ((z, "conv3:1"), (make_z(measured=False), "conv4:0")):
        facts, blobs = unit_detail_payload(of, unit, Lexicon.load())
        assert facts["exemplars"] == []
        assert facts["histogram"] is None
        assert blobs == {}


def test_numbers_that_are_not_finite_never_reach_the_screen(z):
    layer = z.measurements.layers["conv4"]
    layer.responses[0, 0] = np.nan
    layer.peaks[0, 0] = np.inf
    facts, _ = unit_detail_payload(z, "conv4:0", Lexicon.load())
    as_json(facts)
    as_json(payload.report_payload(z, check(z)))


def test_history_has_everything_latest_first(z):
    z = z.annotate("conv4:0", "white ground", author="mira").undo("mira").redo("mira")
    z = z.retract("conv4:0", author="jon")
    said = [(row["what"], row["text"]) for row in unit_edits_latest_first(z, "conv4:0")]
    assert said[-1] == ("wrote", "snow")
    assert [what for what, _ in said[::-1]][:4] == ["wrote", "wrote", "undid", "redid"]
    assert said[0][0] == "withdrew"


def test_the_screen_needs_no_torch():
    code = (
        "import sys, circuitz.widgets.studio.studio, circuitz.widgets.serving.jupyterlab\n"
        "assert not {'torch', 'captum', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_strongest_unit_of_a_finding_comes_first(z):
    z.measurements.effects.drive[1, 0] = 0.9
    worst = payload.report_payload(z, check(z))["findings"][0]
    assert worst["kind"] == "implausible-driver"
    assert worst["units"] == ["conv4:1", "conv4:0"]
