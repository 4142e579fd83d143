from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.data.folders.class_table import read_classes
from circuitz.data.folders.image_folder import open_folder
from circuitz.errors import InputsError, InputsWarning

FILES = tuple(f"{i}.png" for i in range(6))


def read(tmp_path: Path, *classes: str, folders: tuple[str, ...] = ()):
    """Read a table with one cell a picture of ``P``; more pictures than cells have no row."""
    folder = tmp_path / "P"
    files = [folder / (folders[i] if folders else "") / name for i, name in enumerate(FILES)]
    lines = [f'"{f.relative_to(tmp_path)}","{c}"' for f, c in zip(files, classes, strict=False)]
    table = tmp_path / "l.csv"
    table.write_text("\n".join(["path,class", *lines]), encoding="utf-8")
    return read_classes(table, folder, files)


def test_an_empty_cell_leaves_a_picture_out_and_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, "cat", "", "dog", "cat", " ", "dog")
    assert found.classes == ("cat", "dog")
    assert found.labels.tolist() == [0, 1, 0, 1]
    assert [file.name for file in found.files] == ["0.png", "2.png", "3.png", "5.png"]
    assert any("2 pictures have no class" in remark for remark in found.remarks)


@pytest.mark.parametrize("nothing", ["nan", "NaN", "<NA>", "#N/A", "NULL"])
def test_what_programs_write_for_nothing_is_no_class(tmp_path: Path, nothing: str) -> None:
    found = read(tmp_path, "cat", nothing, "dog", "cat", "dog", "dog")
    assert found.classes == ("cat", "dog")
    assert found.labels.ndim == 1
    assert any(f"{nothing!r} is read as no class" in remark for remark in found.remarks)


def test_a_folder_of_that_name_makes_nan_a_class(tmp_path: Path) -> None:
    found = read(
        tmp_path, "nan", "nan", "dog", "dog", "dog", "nan",
        folders=("nan", "nan", "dog", "dog", "dog", "nan"),
    )  # fmt: skip
    assert found.classes == ("dog", "nan")
    assert not found.remarks


def test_none_may_be_a_class_and_is_remarked_on(tmp_path: Path) -> None:
    found = read(tmp_path, "None", "scratch", "None", "scratch", "None", "None")
    assert found.classes == ("None", "scratch")
    assert any("'None'" in remark for remark in found.remarks)


def test_with_a_stroke_an_empty_cell_means_none_of_the_classes(tmp_path: Path) -> None:
    found = read(tmp_path, "cat|dog", "", "dog", "cat | dog", "nan", "dog")
    assert found.labels.tolist() == [[1, 1], [0, 0], [0, 1], [1, 1], [0, 0], [0, 1]]
    lone = read(tmp_path, "cat", "|", "dog", "cat", "", "dog")
    assert lone.labels.tolist() == [[1, 0], [0, 0], [0, 1], [1, 0], [0, 0], [0, 1]]


def test_one_class_alone_is_a_yes_or_no_and_says_so(tmp_path: Path) -> None:
    found = read(tmp_path, "scratch", "", "scratch", "", "", "scratch")
    assert found.labels.tolist() == [[1], [0], [1], [0], [0], [1]]
    assert any("one class alone" in remark for remark in found.remarks)


@pytest.mark.parametrize("other", ["Cat", "CAT "])
def test_labels_that_differ_in_case_only_are_refused(tmp_path: Path, other: str) -> None:
    with pytest.raises(InputsError, match="differ in case only"):
        read(tmp_path, "cat", "dog", "cat", other, "dog", "cat")


def test_blanks_and_accents_do_not_make_classes(tmp_path: Path) -> None:
    found = read(tmp_path, "bär ", "ba\u0308r", "\u00a0bär", "dog", "\u200bdog", "dog\u2003")
    assert found.classes == ("bär", "dog")
    assert found.labels.tolist() == [0, 0, 0, 1, 1, 1]


def test_pictures_and_rows_that_do_not_meet_are_counted(tmp_path: Path) -> None:
    found = read(tmp_path, "cat", "dog", "cat", "dog")
    assert any("2 pictures of" in remark and "no row" in remark for remark in found.remarks)
    (tmp_path / "l.csv").write_text("path,class\nP/0.png,a\nP/1.png,b\nP/77.png,b\nQ/1.png,b\n")
    again = read_classes(tmp_path / "l.csv", tmp_path / "P", [tmp_path / "P" / f for f in FILES])
    assert any("2 rows" in remark and "P/77.png" in remark for remark in again.remarks)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("path,label\nP/0.png,a\n", "no column ‘class’; it has path, label"),
        ("path,class\nP/0.png,\n", "gives no picture a class"),
        ("path,class\nC:\\me\\P\\0.png,a\n", "names no picture of .*first row names C:"),
        ("path,class\nP/0.png,a\nP\\0.png,b\n", "twice, in rows 2 and 3"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "l.csv").write_text(text)
    with pytest.raises(InputsError, match=message):
        read_classes(tmp_path / "l.csv", tmp_path / "P", [tmp_path / "P" / f for f in FILES])


def test_a_set_with_one_empty_cell_keeps_one_class_a_picture(tmp_path: Path) -> None:
    (tmp_path / "P").mkdir()
    for i in range(6):
        Image.new("RGB", (12, 12), (i, 0, 0)).save(tmp_path / "P" / f"{i}.png")
    cells = ["a", "b", "", "a", "b", "a"]
    rows = "".join(f"P/{i}.png,{c}\n" for i, c in enumerate(cells))
    (tmp_path / "l.csv").write_text("path,class\n" + rows)
    with pytest.warns(InputsWarning, match="1 picture has no class"):
        found = open_folder(tmp_path / "P", classes=tmp_path / "l.csv")
    assert found.labels is not None
    assert found.labels.tolist() == [0, 1, 0, 1, 0]
    assert np.array_equal(found.images[:, 0, 0, 0], [0, 1, 3, 4, 5])
