from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from circuitz.data.folders.image_folder import open_folder
from circuitz.errors import ConceptLabelsError, InputsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (tmp_path / name).mkdir()
        for i in range(10):
            pixels = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(tmp_path / name / f"{i}.png")
    return tmp_path


def rows(folder: Path, header: str = "path,snow,grass", **cells: str) -> list[str]:
    lines = [header]
    for name in ("cat", "dog"):
        for i in range(10):
            lines.append(cells.get(f"{name}{i}", f"{name}/{i}.png,{i % 2},{(i + 1) % 2}"))
    return lines


def write(folder: Path, lines: list[str]) -> Path:
    (folder / "concepts.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_a_sub_folder_is_a_class(folder: Path):
    made = open_folder(folder)
    assert made.classes == ("cat", "dog")
    assert made.images.shape == (20, 12, 12, 3)
    assert made.labels is not None
    assert made.labels.tolist() == [0] * 10 + [1] * 10
    assert made.role == "D"
    assert made.split is not None
    assert np.bincount(made.split).tolist() == pytest.approx([14, 3, 3], abs=2)
    with Image.open(folder / "dog" / "0.png") as image:
        assert (made.images[10] == np.asarray(image)).all()


def test_pictures_of_other_sizes_and_modes_are_brought_to_one(folder: Path):
    Image.new("L", (40, 20), 99).save(folder / "cat" / "x.jpg")
    Image.new("RGBA", (20, 40), (1, 2, 3, 255)).save(folder / "cat" / "y.png")
    with pytest.raises(InputsError, match=r"x\.jpg is 40 × 20"):
        open_folder(folder)
    made = open_folder(folder, size=16)
    assert made.images.shape == (22, 16, 16, 3)
    with pytest.raises(InputsError, match="side 4"):
        open_folder(folder, size=4)


def test_progress_is_told(folder: Path):
    seen: list[tuple[int, int]] = []
    open_folder(folder, progress=lambda a, b: seen.append((a, b)))
    assert seen[-1] == (20, 20)


def test_concepts_come_from_a_table(folder: Path):
    lines = rows(folder, cat0="cat/0.png,,yes", cat1=" ./cat/1.png , true , 0 ")
    made = open_folder(write(folder, lines[:-1]))  # the last picture has no row
    assert made.role == "concepts"
    assert made.concept_names == ("snow", "grass")
    assert made.concepts is not None
    assert np.isnan(made.concepts[0, 0])
    assert made.concepts[0, 1] == 1
    assert made.concepts[1].tolist() == [1, 0]
    assert np.isnan(made.concepts[19]).all()


def test_a_table_may_lie_elsewhere_and_pictures_need_no_classes(tmp_path: Path):
    flat = tmp_path / "flat"
    flat.mkdir()
    for i in range(4):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(flat / f"{i}.png")
    table = tmp_path / "t.csv"
    table.write_text("path,snow\n0.png,1\n1.png,0\n2.png,1\n3.png,0\n", encoding="utf-8-sig")
    with pytest.raises(InputsError, match="no pictures"):
        open_folder(flat)
    write(flat, table.read_text(encoding="utf-8-sig").splitlines())
    made = open_folder(flat)
    assert made.labels is None
    assert made.concepts is not None
    assert made.concepts[:, 0].tolist() == [1, 0, 1, 0]
    with pytest.raises(ConceptLabelsError, match="no file"):
        open_folder(flat, concepts=tmp_path / "none.csv")


def test_scenes_and_splits_are_taken_from_the_table(folder: Path):
    lines = ["path,scene,split,snow"]
    for name in ("cat", "dog"):
        lines += [
            f"{name}/{i}.png,{'s' + str(i // 2)},{'audit' if i < 4 else 'test'},{i % 2}"
            for i in range(10)
        ]
    made = open_folder(write(folder, lines))
    assert made.split is not None
    assert made.split[:5].tolist() == [2, 2, 2, 2, 1]
    assert made.scene is not None
    assert len(np.unique(made.scene)) == 5  # cat and dog share their scenes
    without = open_folder(write(folder, [x.replace(",audit", "").replace(",test", "")
                                         .replace(",split", "") for x in lines]))  # fmt: skip
    assert without.split is not None
    assert without.scene is not None
    for scene in np.unique(without.scene):
        assert len(set(without.split[without.scene == scene])) == 1


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "no column ‘path’"),
        (["file,snow", "cat/0.png,1"], "no column ‘path’"),
        (["path", "cat/0.png"], "no concept columns"),
        (["path,snow,snow", "cat/0.png,1,0"], "two columns ‘snow’"),
        (["path,snow", "cat/0.png,1", "cat/0.png,0"], "twice, in rows 2 and 3"),
        (["path,snow", "cat/99.png,1"], "Row 2 .*cat/99.png, which is not in"),
        (["path,snow", "../secret.png,1"], "which is not in"),
        (["path,snow", "/etc/passwd,1"], "which is not in"),
        (["path,snow", "cat/0.png,maybe"], "row 2 .*'maybe'"),
        (["path,snow", "cat/0.png,2"], "row 2 .*'2'"),
        (["path,snow", "cat/0.png"], "1 cells, the header 2"),
        (["path,snow", "cat/0.png,1", "cat/1.png,1"], "‘snow’ is constant: present"),
        (["path,snow", "cat/0.png,"], "‘snow’ has no labels"),
        (["path,split,snow", "cat/0.png,train,1"], "split in row 2 .*'train'"),
        (["path,split,snow", "cat/0.png,test,1"], "some pictures only"),
        (["path,snow", '"cat/0.png,1'], "not CSV"),
    ],
)
def test_a_table_that_cannot_be_used_is_named(folder: Path, lines: list[str], message: str):
    with pytest.raises(ConceptLabelsError, match=message) as caught:
        open_folder(write(folder, lines))
    assert caught.value.hint


def test_a_table_that_is_no_text_is_named(folder: Path):
    (folder / "concepts.csv").write_bytes(b"\x81path\x8d,snow\n")
    with pytest.raises(ConceptLabelsError, match="cannot be read"):
        open_folder(folder)


@pytest.mark.parametrize("content", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_file_that_is_no_picture_is_named(folder: Path, content: bytes):
    (folder / "dog" / "bad.png").write_bytes(content)
    with pytest.raises(InputsError, match=r"bad\.png is not a picture"):
        open_folder(folder)


def test_a_truncated_picture_is_named(folder: Path):
    whole = (folder / "dog" / "0.png").read_bytes()
    (folder / "dog" / "0.png").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputsError, match=r"0\.png is not a picture"):
        open_folder(folder)


def test_folders_without_classes_or_pictures_are_named(tmp_path: Path):
    with pytest.raises(InputsError, match="no folder"):
        open_folder(tmp_path / "none")
    with pytest.raises(InputsError, match="no pictures"):
        open_folder(tmp_path)
    (tmp_path / "cat").mkdir()
    Image.new("RGB", (8, 8)).save(tmp_path / "cat" / "0.png")
    with pytest.raises(InputsError, match="single class"):
        open_folder(tmp_path)
    (tmp_path / "dog").mkdir()
    with pytest.raises(InputsError, match="‘dog’ has no pictures"):
        open_folder(tmp_path)
