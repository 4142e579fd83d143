from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from circuitz.disk.json_io import loads
from circuitz.disk.seal import seal_with_own_hash
from circuitz.errors import (
    BundleError,
    BundleFormatError,
    BundleSchemaError,
    BundleTamperedError,
    BundleTruncatedError,
    BundleUnsafeError,
    BundleWriteError,
    LabellingError,
)
from circuitz.labelling.tasks.pack import TaskPack
from circuitz.labelling.tasks.pack_io import (
    MANIFEST,
    checked_picture_media_type,
    open_pack,
    write_pack,
)

EVIL = '"><script>alert(1)</script>'


@pytest.mark.parametrize("name", ["a.tasks", "a.tasks.zip"])
def test_a_pack_comes_back_as_it_was(make_pack, tmp_path: Path, name: str) -> None:
    made = make_pack(golds=2, again=1, guidelines=f"Look.\n\n{EVIL}", lease=30.0)
    write_pack(made, tmp_path / name)
    back = open_pack(tmp_path / name)
    assert back.hash == made.hash
    assert back.task == made.task
    assert back.questions == made.questions
    assert back.card == made.card
    assert dict(back.gold) == dict(made.gold)
    assert dict(back.pictures) == dict(made.pictures)
    assert dict(back.exemplars) == dict(made.exemplars)
    assert np.array_equal(back.heat, made.heat)
    assert (back.guidelines, back.lease, back.overlap) == (made.guidelines, 30.0, 2)


def test_a_pack_zipped_by_hand_opens(make_pack, tmp_path: Path) -> None:
    made = make_pack()
    write_pack(made, tmp_path / "in" / "a.tasks")
    shutil.make_archive(str(tmp_path / "hand"), "zip", tmp_path / "in")
    assert open_pack(tmp_path / "hand.zip").hash == made.hash


def test_opening_a_pack_and_its_screen_needs_no_torch(make_pack, tmp_path: Path) -> None:
    place = write_pack(make_pack(), tmp_path / "a.tasks")
    code = (
        "import sys\nfrom circuitz.widgets.labelling.labelling import Labelling\n"
        f"Labelling({str(place)!r}, {str(tmp_path / 'a.sqlite')!r}, rater='mira')\n"
        "assert not {'torch', 'captum'} & set(sys.modules), 'torch'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_the_hash_is_of_what_is_asked(make_pack) -> None:
    made = make_pack(golds=1)
    assert made.hash == make_pack(golds=1).hash
    for other in (
        make_pack(golds=1, seed=1), make_pack(golds=1, overlap=3), make_pack(asks=7, golds=1),
        make_pack(golds=1, guidelines="Other words."),
        replace(made, gold=dict.fromkeys(made.gold, "corgi")),
        replace(made, card=replace(made.card, z_hash="y" * 32)),
    ):  # fmt: skip
        assert other.hash != made.hash
    assert made.instructions != make_pack(guidelines="Other words.").instructions


def test_each_rater_has_one_order_of_options(make_pack) -> None:
    made = make_pack()
    orders = {made.options(f"rater-{i}")[0] for i in range(40)}
    assert len(orders) == 6
    assert made.options("mira") == made.options("mira")
    assert all(sorted(order) == sorted(made.classes) for order in orders)


def test_ids_tell_nothing(make_pack) -> None:
    made = make_pack(golds=2, again=2)
    for question in made.questions:
        assert question.kind not in question.id
        assert question.item not in question.id
        assert len(question.id) == 16


@pytest.mark.parametrize(
    "change",
    [
        {"overlap": 0}, {"overlap": 51}, {"lease": 1.0}, {"questions": ()},
        {"pictures": {}}, {"heat": np.zeros((0, 1, 1), np.uint8)}, {"gold": {"x": "husky"}},
    ],
)  # fmt: skip
def test_what_no_screen_could_ask_is_refused(make_pack, change: dict[str, object]) -> None:
    with pytest.raises(LabellingError):
        make_pack(**change)


def test_a_gold_picture_among_the_others_is_refused(make_pack) -> None:
    made: TaskPack = make_pack(golds=1)
    gold = next(q for q in made.questions if q.kind == "gold")
    twice = tuple(replace(q, item=gold.item) if q.kind == "ask" else q for q in made.questions[-2:])
    with pytest.raises(LabellingError, match="asked about twice"):
        replace(made, questions=twice)


@pytest.mark.parametrize("name", ["cannot tell", "not usable", " "])
def test_a_class_named_like_an_answer_of_its_own_is_refused(make_pack, name: str) -> None:
    made: TaskPack = make_pack()
    entries = (replace(made.card.classes[0], name=name), *made.card.classes[1:])
    with pytest.raises(LabellingError, match="answer of its own"):
        replace(made, card=replace(made.card, classes=entries))


def test_what_is_there_is_not_replaced(make_pack, tmp_path: Path) -> None:
    made, other = make_pack(), make_pack(seed=5)
    place = write_pack(made, tmp_path / "a.tasks")
    write_pack(made, place)
    with pytest.raises(BundleWriteError, match="another task pack"):
        write_pack(other, place)
    assert open_pack(place).hash == made.hash
    write_pack(other, place, overwrite=True)
    assert open_pack(place).hash == other.hash
    for here in (tmp_path / "thesis", tmp_path / "thesis.zip"):
        if here.suffix:
            here.write_bytes(b"years of work")
        else:
            here.mkdir()
            (here / "text.md").write_text("years of work")
        with pytest.raises(BundleWriteError, match="no task pack"):
            write_pack(made, here, overwrite=True)
    assert (tmp_path / "thesis" / "text.md").read_text() == "years of work"


def test_no_pack_is_named_as_such(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("x")
    with zipfile.ZipFile(tmp_path / "other.zip", "w") as other:
        other.writestr("a.txt", "x")
    for name in ("none", "empty", "file", "other.zip"):
        with pytest.raises(LabellingError, match="task pack"):
            open_pack(tmp_path / name)


@pytest.fixture
def place(make_pack, tmp_path: Path) -> Path:
    return write_pack(make_pack(golds=1), tmp_path / "a.tasks")


def rewrite(place: Path, change) -> None:
    """Change the manifest and seal it anew, as somebody hostile would."""
    document = loads((place / MANIFEST).read_bytes(), MANIFEST)
    document.pop("sha256")
    change(document)
    (place / MANIFEST).write_bytes(seal_with_own_hash(document))


def put(place: Path, name: str, data: bytes) -> None:
    (place / name).parent.mkdir(exist_ok=True)
    (place / name).write_bytes(data)
    entry = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    rewrite(place, lambda d: d["files"].update({name: entry}))


def test_changed_files_are_found_out(place: Path) -> None:
    card = place / "card.json"
    card.write_bytes(card.read_bytes().replace(b"snow", b"snov"))
    with pytest.raises(BundleTamperedError):
        open_pack(place)


def test_a_changed_manifest_is_found_out(place: Path) -> None:
    text = (place / MANIFEST).read_text()
    (place / MANIFEST).write_text(text.replace('"overlap": 2', '"overlap": 1'))
    with pytest.raises(BundleTamperedError):
        open_pack(place)


def test_a_missing_or_short_file_is_named(place: Path) -> None:
    heat = place / "heat.bin"
    heat.write_bytes(heat.read_bytes()[:-1])
    with pytest.raises(BundleTruncatedError, match=r"heat\.bin"):
        open_pack(place)
    heat.unlink()
    with pytest.raises(BundleTruncatedError, match=r"heat\.bin"):
        open_pack(place)


def test_newer_packs_ask_for_an_update(place: Path) -> None:
    rewrite(place, lambda d: d.update(schema=99))
    with pytest.raises(BundleSchemaError, match="Update"):
        open_pack(place)


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(kind="circuitz z"),
        lambda d: d.update(heat=[1, 2]),
        lambda d: d.update(heat=[10**9, 64, 64]),
        lambda d: d.update(heat=[-1, -2, 2]),
        lambda d: d.update(questions=7),
        lambda d: d["questions"][0].update(kind="bribe"),
        lambda d: d["questions"][0].update(picture="pictures/none.png"),
        lambda d: d["questions"][0]["seen"][0].update(level="nan"),
        lambda d: d["questions"][0]["seen"][0].update(heat=77),
        lambda d: d["questions"][0].pop("item"),
        lambda d: d.update(classes=["a", "b"]),
        lambda d: d.update(z="0" * 32),
        lambda d: d.update(task="label-0"),
        lambda d: d.update(lease="soon"),
        lambda d: d.update(overlap=10**9),
        lambda d: d.update(instructions="none"),
    ],
)
def test_malformed_manifests_are_refused(place: Path, change) -> None:
    rewrite(place, change)
    with pytest.raises((BundleFormatError, LabellingError)):
        open_pack(place)


@pytest.mark.parametrize("name", ["../out.png", "/etc/passwd", "pictures/../../x", "a\\b"])
def test_names_that_lead_outside_are_refused(place: Path, name: str) -> None:
    rewrite(place, lambda d: d["files"].update({name: {"sha256": "0" * 64, "size": 1}}))
    with pytest.raises(BundleUnsafeError):
        open_pack(place)


def test_links_are_refused(place: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes((place / "card.json").read_bytes())
    (place / "card.json").unlink()
    (place / "card.json").symlink_to(tmp_path / "secret")
    with pytest.raises(BundleUnsafeError, match="link"):
        open_pack(place)


@pytest.mark.parametrize("data", [b"<svg onload='alert(1)'/>", b"<html>", b"RIFF1234AVI ", b""])
def test_only_plain_pictures_reach_the_browser(place: Path, data: bytes) -> None:
    put(place, "pictures/item-0.png", data)
    with pytest.raises(BundleUnsafeError, match="PNG, JPEG or WebP"):
        open_pack(place)
    with pytest.raises(BundleUnsafeError):
        checked_picture_media_type(b"\x89PNG\r\n\x1a\n" + bytes(9 * 2**20))


def test_a_card_that_was_changed_is_refused(place: Path) -> None:
    record = json.loads((place / "card.json").read_text())
    record["classes"][0]["cues"][0]["words"] = "grass"
    put(place, "card.json", json.dumps(record).encode())
    with pytest.raises(Exception, match="changed after") as caught:
        open_pack(place)
    assert caught.value.code == "card"


def test_bombs_are_not_unpacked(place: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as packed:
        for file in place.rglob("*"):
            if file.is_file():
                packed.write(file, file.relative_to(place).as_posix())
        packed.writestr("pictures/zeros.png", bytes(128 * 2**20))
    with pytest.raises(BundleError, match="unpack"):
        open_pack(bomb)
