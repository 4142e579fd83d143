from __future__ import annotations

import os
from pathlib import Path

import pytest
from PIL import Image, features

from circuitz.data.folders import picture_kinds
from circuitz.data.folders.image_folder import open_folder
from circuitz.data.folders.picture_files import list_picture_files, list_pictures
from circuitz.errors import InputsError, InputsWarning
from circuitz.labelling.tasks.shifted_pictures import find_pictures


def picture(file: Path, colour: int = 0, kind: str | None = None) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (12, 12), (colour, len(file.name), 3)).save(file, kind)
    return file


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """``D/cat`` and ``D/dog``, three pictures each, all of them different."""
    for k, name in enumerate(("cat", "dog")):
        for i in range(3):
            picture(tmp_path / "D" / name / f"{i}.png", 10 * i + 100 * k)
    return tmp_path / "D"


def names(folder: Path) -> list[str]:
    return [file.relative_to(folder).as_posix() for file in list_picture_files(folder)]


PLAIN = [f"{name}/{i}.png" for name in ("cat", "dog") for i in range(3)]


@pytest.mark.parametrize(
    "hidden",
    [
        ".ipynb_checkpoints/0-checkpoint.png", "cat/.thumbnails/x.jpg", "cat/._0.png", ".x.png",
        "cat/sub/@eaDir/0.png/SYNOPHOTO_THUMB_M.jpg", "__MACOSX/cat/0.png", "$RECYCLE.BIN/a.png",
        "dog/deeper/.git/deeper/a.png",
    ],
)  # fmt: skip
def test_what_belongs_to_a_system_is_left_out_and_counted(folder: Path, hidden: str) -> None:
    # As a file that is no picture, too, it must not be opened.
    (folder / hidden).parent.mkdir(parents=True, exist_ok=True)
    (folder / hidden).write_bytes(b"no picture")
    assert names(folder) == PLAIN
    with pytest.warns(InputsWarning, match=r"^In .*D 1 picture hidden") as told:
        assert len(find_pictures(folder)) == 6
    assert len(told) == 1
    with pytest.warns(InputsWarning, match=r"^In .*D 1 picture hidden"):
        assert open_folder(folder).classes == ("cat", "dog")


def test_a_class_may_begin_with_an_at_sign(folder: Path) -> None:
    picture(folder / "@x" / "0.png", 7)
    assert names(folder) == ["@x/0.png", *PLAIN]


def test_the_warning_is_at_the_callers_line(folder: Path) -> None:
    picture(folder / ".hidden" / "0.png")
    with pytest.warns(InputsWarning) as told:
        open_folder(folder)
    assert Path(told[0].filename) == Path(__file__)


def test_names_that_are_no_text_are_named(folder: Path) -> None:
    (folder / "dog").rename(os.fsdecode(os.fsencode(folder) + b"/B\xe4r"))
    with pytest.raises(InputsError, match=r"b'B\\xe4r' is not in UTF-8") as caught:
        open_folder(folder)
    assert "convmv" in caught.value.hint
    with pytest.raises(InputsError, match=r"b'B\\xe4r/0\.png' is not in UTF-8"):
        find_pictures(folder)


@pytest.mark.parametrize("read", [open_folder, find_pictures])
def test_an_archive_in_the_place_of_a_folder_is_named(tmp_path: Path, read) -> None:
    (tmp_path / "D.zip").write_bytes(b"PK")
    with pytest.raises(InputsError, match=r"D\.zip: it is a file") as caught:
        read(tmp_path / "D.zip")
    assert "unpack" in caught.value.hint


def test_nothing_is_said_of_a_plain_folder(folder: Path, recwarn) -> None:
    (folder / "cat" / "notes.txt").write_text("no picture")
    (folder / ".DS_Store").write_bytes(b"x")
    open_folder(folder)
    find_pictures(folder)
    assert not [w for w in recwarn if issubclass(w.category, InputsWarning)]


def test_links_to_folders_are_followed_once(folder: Path) -> None:
    more = folder.parent / "more"
    picture(more / "m.png", 50)
    (folder / "dog" / "more").symlink_to(more)
    (folder / "dog" / "same").symlink_to(more)
    (folder / "dog" / "up").symlink_to(folder)
    (folder / "cat" / "other").symlink_to(folder / "dog")
    (more / "back").symlink_to(more)
    assert names(folder) == [*PLAIN, "dog/more/m.png"]
    told = " ".join(list_pictures(folder).remarks())
    for name in ("dog/same", "dog/up", "cat/other"):
        assert (folder / name) in list_pictures(folder).repeated_links
    assert told.startswith("Not followed: ")
    assert told.count("read already") == 1


def test_a_class_that_is_a_link_keeps_its_pictures(folder: Path) -> None:
    away = folder.parent / "away"
    (folder / "dog").rename(away)
    (folder / "dog").symlink_to(away)
    (folder / "cat" / "also").symlink_to(away)
    assert names(folder) == PLAIN


def test_links_that_lead_nowhere_are_named(folder: Path) -> None:
    (folder / "dog" / "gone.png").symlink_to(folder / "nowhere.png")
    (folder / "dog" / "itself").symlink_to(folder / "dog" / "itself")
    (folder / "dog" / "note.txt").symlink_to(folder / "nowhere.txt")
    listing = list_pictures(folder)
    assert [file.name for file in listing.broken_links] == ["gone.png", "itself"]
    assert "gone.png" in listing.remarks()[0]
    assert names(folder) == PLAIN


def test_a_folder_that_may_not_be_read_is_named(folder: Path, monkeypatch) -> None:
    scan = os.scandir

    def refuse(path):
        if Path(path).name == "dog":
            raise PermissionError(13, "Permission denied")
        return scan(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(InputsError, match=r"D/dog may not be read: Permission denied") as caught:
        open_folder(folder)
    assert caught.value.code == "inputs"


def test_kinds_that_are_not_read_are_counted(folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(picture_kinds, "_pillow_reads", lambda suffix: False)
    for name in ("a.HEIC", "b.heic", "c.avif", "d.dng", "e.txt"):
        (folder / "cat" / name).write_bytes(b"ftyp")
    picture(folder / "cat" / "nameless", 77, "JPEG")
    (folder / "cat" / "LICENSE").write_text("no picture, and no ending")
    told = list_pictures(folder).remarks()
    assert len(told) == 1
    assert "1 without an ending, 1 .avif, 1 .dng, 2 .heic" in told[0]
    assert "pillow-heif" in told[0]
    with pytest.warns(InputsWarning, match=r"2 \.heic"):
        assert len(open_folder(folder)) == 6
    for file in (folder / "dog").iterdir():
        file.rename(file.with_suffix(".heic"))
    with pytest.raises(InputsError, match=r"‘dog’ has no pictures.*5 \.heic.*Convert"):
        open_folder(folder)


@pytest.mark.skipif(not features.check("avif"), reason="this Pillow reads no AVIF")
def test_avif_is_read_where_pillow_can(folder: Path) -> None:
    picture(folder / "cat" / "z.avif", 200)
    assert names(folder)[3] == "cat/z.avif"
    assert len(open_folder(folder)) == 7


def test_heic_is_read_where_a_plugin_is(folder: Path, monkeypatch) -> None:
    (folder / "cat" / "z.heic").write_bytes(picture(folder.parent / "z.png", 9).read_bytes())
    monkeypatch.setitem(Image.EXTENSION, ".heic", "PNG")
    assert "cat/z.heic" in names(folder)
    assert not list_pictures(folder).unread


def test_jpegs_under_all_their_endings(folder: Path) -> None:
    for i, suffix in enumerate((".jfif", ".JPE", ".JpeG")):
        picture(folder / "cat" / f"x{suffix}", 40 * i, "JPEG")
    assert names(folder)[3:6] == ["cat/x.JPE", "cat/x.JpeG", "cat/x.jfif"]
    assert len(open_folder(folder)) == 9


def test_order_is_that_of_paths(tmp_path: Path) -> None:
    odd = ["b/0.png", "b-1/0.png", "a/b/0.png", "a/b.png", "a.png", "B/0.png", "10.png", "9.png"]
    for name in odd:
        picture(tmp_path / name)
    assert list_picture_files(tmp_path) == sorted(tmp_path / name for name in odd)
