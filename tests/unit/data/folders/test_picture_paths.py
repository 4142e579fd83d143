from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from circuitz.data.folders.picture_paths import PicturePaths, existing_file
from circuitz.errors import ConceptLabelsError

NFD = unicodedata.normalize("NFD", "café")


def paths(tmp_path: Path, *names: str, escaped: bool = False) -> PicturePaths:
    folder = tmp_path / "D"
    folder.mkdir(exist_ok=True)
    files = [folder / name for name in names]
    return PicturePaths(folder, files, tmp_path / "t.csv", tmp_path, escaped=escaped)


@pytest.mark.parametrize(
    ("name", "cell"),
    [
        ("a.png", "D/a.png"), ("a.png", " D/a.png\u00a0"), ("a.png", "./D//sub/../a.png"),
        ("s/a.png", "D\\s\\a.png"), ("s\\a.png", "D/s\\a.png"), (f"{NFD}/x.png", "D/café/x.png"),
        ("café/x.png", f"D/{NFD}/x.png"), ("polar bear/x.png", "D/polar\u00a0bear/x.png"),
        ("cat /x.png", "D/cat/x.png"), ("cat/x.png", "D/cat /x.png"), ("a b .png", "D/a b .png"),
    ],
)  # fmt: skip
def test_a_picture_is_found_however_its_path_is_written(
    tmp_path: Path, name: str, cell: str
) -> None:
    assert paths(tmp_path, "other.png", name).find(cell, 2) == 1


def test_the_exact_name_goes_first(tmp_path: Path) -> None:
    both = paths(tmp_path, f"{NFD}.png", "café.png", " a.png", "a.png", "b\\c.png", "b/c.png")
    assert both.find("D/café.png", 2) == 1
    assert both.find(f"D/{NFD}.png", 2) == 0
    assert both.find("D/ a.png", 2) == 2
    assert both.find("D/a.png", 2) == 3
    assert both.find("D/b\\c.png", 2) == 4


def test_two_pictures_that_a_cell_may_mean_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConceptLabelsError, match="two pictures differ from it only in blanks"):
        paths(tmp_path, " a.png", "a\u00a0.png", "a .png ").find("D/a .png  ", 2)


def test_apostrophes_of_formulas(tmp_path: Path) -> None:
    folder = tmp_path
    files = [folder / name for name in ("=a.png", "'=a.png", "'b.png")]
    as_written = PicturePaths(folder, files, tmp_path / "t.csv", folder)
    escaped = PicturePaths(folder, files, tmp_path / "t.csv", folder, escaped=True)
    assert [as_written.find(c, 2) for c in ("=a.png", "'=a.png", "'b.png")] == [0, 1, 2]
    assert [escaped.find(c, 2) for c in ("'=a.png", "''=a.png", "'b.png")] == [0, 1, 2]


def test_folders_may_be_reached_by_links(tmp_path: Path) -> None:
    real = tmp_path / "real"
    (real / "D").mkdir(parents=True)
    (tmp_path / "link").symlink_to(real)
    linked, plain = tmp_path / "link" / "D", real / "D"
    by_link = PicturePaths(linked, [linked / "a.png"], real / "t.csv", real)
    assert by_link.find("D/a.png", 2) == 0
    assert by_link.find(str(plain / "a.png"), 2) == 0
    assert by_link.is_inside(str(plain / "b.png"), 2)
    by_real = PicturePaths(plain, [plain / "a.png"], tmp_path / "link/t.csv", tmp_path / "link")
    assert by_real.find("D/a.png", 2) == 0


def test_case_is_told_and_not_guessed(tmp_path: Path) -> None:
    found = paths(tmp_path, "Cat.PNG")
    assert found.find("D/cat.png", 2) is None
    assert "Cat.PNG, which differs in case only" in found.missing_error("D/cat.png", 2).hint


def test_what_is_left_out_and_what_is_outside(tmp_path: Path) -> None:
    found = paths(tmp_path, "a.png")
    assert found.is_left_out("D/.ipynb_checkpoints/a-checkpoint.png", 2)
    assert found.is_left_out("D/cat/@eaDir/a.png", 2)
    assert found.is_left_out("D/a.dng", 2)
    assert not found.is_left_out("D/b.png", 2)
    assert not found.is_left_out(".hidden/b.png", 2)
    assert found.is_inside("D/b.png", 2)
    assert not found.is_inside("D2/b.png", 2)
    with pytest.raises(ConceptLabelsError, match="names no file"):
        found.find(" ", 2)


def test_a_file_on_disk_by_the_other_form_of_its_accents(tmp_path: Path) -> None:
    (tmp_path / f"{NFD}.png").write_bytes(b"x")
    table = tmp_path / "t.csv"
    found = existing_file("café.png ", tmp_path, 2, table)
    assert found is not None
    assert found.read_bytes() == b"x"
    assert existing_file("none.png", tmp_path, 2, table) is None
