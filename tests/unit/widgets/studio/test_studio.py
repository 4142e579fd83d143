from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

import circuitz
from circuitz.errors import BundleError
from circuitz.widgets.studio import unit_table as units
from circuitz.widgets.studio.studio import STATIC, Studio
from circuitz.z.bundle.load_save import load


@pytest.fixture
def path(z, tmp_path):
    return z.save(tmp_path / "dogs.z")


class Screen:
    """Talks to a studio as the front end does."""

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.replies: list[tuple[dict, list]] = []
        studio.send = lambda content, buffers=None: self.replies.append((content, buffers or []))

    def ask(self, action: str, **arguments: object) -> dict:
        self.studio._answer_screen_message(
            self.studio, {"id": "1", "action": action, **arguments}, []
        )
        return self.replies[-1][0]


@pytest.fixture
def screen(path):
    return Screen(Studio(path, author="mira"))


def test_first_paint_is_in_the_traits(path):
    studio = Studio(path)
    assert studio.head["saved"] == "disk"
    assert studio.head["path"] == str(path)
    assert studio.units["count"] == sum(layer["size"] for layer in studio.head["layers"]) == 10
    assert studio.units["rows"] is None
    assert studio.report["counts"]["flagged"] >= 1
    assert len(studio.report["unexplained"]) == 3
    worst = studio.report["findings"][0]
    assert studio.first["unit"] in worst["units"]
    assert studio.first["blobs"]["images"].startswith(b"\x89PNG")
    for name in ("head", "words", "report"):
        json.dumps(getattr(studio, name), allow_nan=False)


def test_an_edit_answers_after_it_is_on_disk_and_the_screen_is_current(screen, path):
    reply = screen.ask("annotate", unit="conv4:0", text="fluffy coat", confidence=0.9, base=None)
    assert reply["ok"]
    assert load(path).effective()["conv4:0"].text == "fluffy coat"
    studio = screen.studio
    assert studio.z.effective()["conv4:0"].text == "fluffy coat"
    shown = {(f["kind"], tuple(f["units"])): f["verdict"] for f in studio.report["findings"]}
    assert shown["mislabelled-unit", ("conv4:0",)] == "flagged"
    assert next(w for w in studio.words if w["unit"] == 0)["author"] == "mira"
    back = screen.ask("undo")
    assert back["unit"] == "conv4:0"
    assert next(w for w in studio.words if w["unit"] == 0)["text"] == "snow"
    assert screen.ask("redo")["ok"]


def test_pictures_and_effects_do_not_travel_with_an_edit(screen):
    studio = screen.studio
    before = (studio.units, studio.atlas, studio.effects, studio.first)
    revision = studio.head["revision"]
    screen.ask("annotate", unit="conv4:0", text="sky")
    after = (studio.units, studio.atlas, studio.effects, studio.first)
    assert all(a is b for a, b in zip(before, after, strict=True))
    assert studio.head["revision"] > revision


def test_edits_of_many_units(make_z, tmp_path):
    screen = Screen(Studio(make_z(300).save(tmp_path / "big.z")))
    for text in ("sky", "snow", "fluffy coat"):
        assert screen.ask("annotate", unit="conv4:1", text=text)["ok"]
    assert load(tmp_path / "big.z").effective()["conv4:1"].text == "fluffy coat"


def test_a_conflict_names_their_words_and_shows_them(screen, path):
    seen = screen.studio.words[0]["id"]
    other = Screen(Studio(path, author="jon"))
    assert other.ask("annotate", unit="conv4:0", text="white ground", base=seen)["ok"]
    reply = screen.ask("annotate", unit="conv4:0", text="sky", base=seen)
    assert (reply["ok"], reply["code"]) == (False, "conflict")
    assert reply["theirs"]["text"] == "white ground"
    assert screen.studio.words[0]["text"] == "white ground"
    assert screen.ask("annotate", unit="conv4:0", text="sky", base=reply["theirs"]["id"])["ok"]


def test_refresh_shows_what_others_wrote(screen, path):
    Screen(Studio(path, author="jon")).ask("annotate", unit="conv4:7", text="eyes")
    assert screen.ask("refresh")["ok"]
    assert screen.studio.words[-1]["text"] == "eyes"


@pytest.mark.parametrize(
    ("action", "arguments", "code"),
    [
        ("annotate", {"unit": "conv9:0", "text": "x"}, "unknown-unit"),
        ("annotate", {"unit": "conv4:0", "text": "x" * 9999}, "annotation"),
        ("unit", {"unit": "nonsense"}, "unknown-unit"),
        ("picture", {"hash": "../../etc/passwd"}, "not-measured"),
        ("rows", {"rows": [10]}, "unknown-unit"),
        ("rows", {"rows": [-1]}, "unknown-unit"),
        ("rows", {"rows": ["0"]}, "unknown-unit"),
        ("rows", {"rows": [True]}, "unknown-unit"),
        ("rows", {"rows": "01"}, "unknown-unit"),
        ("rows", {"rows": [0] * 9999}, "unknown-unit"),
        ("thumbnails", {"images": [240]}, "unknown-unit"),
        ("thumbnails", {"images": [0.5]}, "unknown-unit"),
        ("drivers", {"target": "cat", "how": "sufficiency"}, "not-measured"),
        ("drivers", {"target": "husky", "how": "__class__"}, "not-measured"),
        ("undo", {}, "annotation"),
        ("waive", {"finding": "f", "author": "", "reason": ""}, "annotation"),
        ("rm", {}, "unknown-action"),
        ("__init__", {}, "unknown-action"),
        ("annotate", {"nonsense": 1}, "unexpected"),
        ("annotate", {"unit": ["a"], "text": {"b": 1}, "confidence": "much"}, "unexpected"),
    ],
)
def test_whatever_goes_wrong_comes_back_by_name(screen, path, action, arguments, code):
    before = load(path).hash
    reply = screen.ask(action, **arguments)
    assert (reply["ok"], reply["code"]) == (False, code)
    assert reply["message"]
    assert load(path).hash == before


@pytest.mark.parametrize("message", [None, 3, "x", {}, {"id": 4}, []])
def test_messages_that_are_none_are_ignored(screen, message):
    screen.studio._answer_screen_message(screen.studio, message, [])
    assert screen.replies == []


def test_units_and_pictures_come_with_named_buffers(screen):
    reply = screen.ask("unit", unit="conv4:3")
    assert reply["detail"]["unit"] == "conv4:3"
    assert reply["blobs"] == ["images", "heat"]
    buffers = screen.replies[-1][1]
    assert bytes(buffers[0]).startswith(b"\x89PNG")
    picture = next(iter(screen.studio.z.measurements.pictures))
    assert screen.ask("picture", hash=picture)["blobs"] == ["picture"]


def test_every_unit_of_every_layer_can_be_asked_for(screen):
    for layer in screen.studio.head["layers"]:
        unit = f"{layer['name']}:{layer['size'] - 1}"
        assert screen.ask("unit", unit=unit)["ok"], unit


def test_a_z_in_memory_says_so(z):
    studio = Studio(z)
    assert studio.head["saved"] == "memory"
    assert "z.save(path)" in repr(studio)


def test_a_z_not_measured_says_what_to_run(make_z):
    studio = Studio(make_z(measured=False))
    assert "cz.measure" in studio.head["missing"]
    assert studio.report["missing"]
    assert Screen(studio).ask("annotate", unit="conv4:0", text="snow")["ok"]


def test_a_z_without_units_or_words_can_be_opened(z):
    studio = Studio(z.with_(layers=(), cut=(), log=(), measurements=None, concept_set=None))
    assert studio.units["count"] == 0
    assert studio.first is None


def test_setting_z_from_python_is_shown_and_written(path):
    studio = Studio(path)
    studio.z = studio.z.annotate("conv4:7", "eyes", author="mira")
    assert studio.words[-1]["text"] == "eyes"
    assert load(path).effective()["conv4:7"].text == "eyes"


def test_repr_tells_the_findings_where_nothing_can_be_drawn(path):
    data, *_ = Studio(path)._repr_mimebundle_()
    text = data["text/plain"]
    assert "flagged" in text
    assert "snow" in text
    assert "circuitz lab" in text
    assert "application/vnd.jupyter.widget-view+json" in data


def test_unknown_keywords_and_paths_are_refused_in_words(path, tmp_path):
    with pytest.raises(TypeError, match="colour"):
        Studio(path, colour="red")
    with pytest.raises(BundleError, match="no bundle"):
        Studio(tmp_path / "none.z")


def test_the_bundle_is_shipped_small_and_asks_nobody_for_anything():
    script = (STATIC / "studio.js").read_text()
    style = (STATIC / "studio.css").read_text()
    assert len(script.encode()) <= 300 * 1024
    assert "export{" in script.replace(" ", "")
    urls = re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]{2,}[^\s\"'`)]*", script + style)
    assert not [url for url in urls if "w3.org" not in url and "preactjs.com" not in url], urls
    assert "@import" not in style
    assert (STATIC / "LICENSES.txt").read_text().count("MIT License") == 1
    assert Path(circuitz.__file__).parent in STATIC.parents


def test_of_many_units_those_round_the_first_come_at_once_and_others_when_asked(
    make_z, monkeypatch
):
    monkeypatch.setattr(units, "MOST_AT_ONCE", 2**20)
    studio = Studio(make_z(10_000))
    screen = Screen(studio)
    known = np.frombuffer(studio.units["rows"], "<i4")
    assert studio.units["count"] == 10_002
    assert 64 < len(known) < 1000
    assert 0 in known
    assert len(studio.units["exemplars"]) == len(known) * 36
    assert len(studio.effects["sufficiency"]) == len(known) * 3 * 3 * 4
    reply = screen.ask("rows", rows=[9_999, 0, 10_001])
    assert reply["blobs"] == ["exemplars", "boxes", "sufficiency", "necessity"]
    columns = dict(zip(reply["blobs"], screen.replies[-1][1], strict=True))
    at = int(np.flatnonzero(known == 0)[0])
    assert columns["exemplars"][36:72] == studio.units["exemplars"][at * 36 : at * 36 + 36]
    effects = np.frombuffer(columns["sufficiency"], "<f4").reshape(3, 3, 3)
    assert np.isfinite(effects[:2]).all()
    assert np.isnan(effects[2]).all()


def test_thumbnails_come_for_images_asked_for(screen):
    reply = screen.ask("thumbnails", images=[7, 3])
    assert reply["images"] == [7, 3]
    assert reply["blobs"] == ["page0"]
    assert bytes(screen.replies[-1][1][0]).startswith(b"\xff\xd8")


def test_what_drives_a_class_is_told_strongest_first(screen):
    reply = screen.ask("drivers", target="husky", how="sufficiency")
    driving = np.frombuffer(screen.replies[-1][1][0], "<i4")
    assert set(driving[:2].tolist()) == {0, 1}
    assert set(reply["rows"][:2]) == {0, 1}
    assert len(reply["rows"]) == 8


def test_an_edit_keeps_the_rows_where_units_are(screen):
    screen.ask("annotate", unit="conv3:1", text="snow")
    assert screen.studio.words[-1]["unit"] == 9
    assert screen.ask("rows", rows=[9])["ok"]
