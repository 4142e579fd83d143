from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from circuitz.errors import AnnotationFileError, BundleWriteError
from circuitz.z.annotation import Annotation
from circuitz.z.formats.annotation_reader import read_annotations
from circuitz.z.formats.annotation_writer import write_annotations
from circuitz.z.layer import LayerSpec
from circuitz.z.model import AnnotatedModel


@pytest.fixture
def said(bare: AnnotatedModel) -> AnnotatedModel:
    z = bare.annotate("conv1:3", "=1+1", concepts=(), author="@me").annotate(
        "output:7", "ears", concepts=("ears", "a;b"), author="net", author_kind="model"
    )
    return z.annotate("group:conv1:1,conv1:2", "both", concepts=(), confidence=0.5)


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        return list(csv.DictReader(file))


def test_no_cell_of_a_table_is_a_formula(said: AnnotatedModel, tmp_path: Path) -> None:
    for name in ("a.csv", "descriptions.csv"):
        assert write_annotations(said, tmp_path / name).path == tmp_path / name
        cells = [cell for row in read(tmp_path / name) for cell in row.values()]
        assert not [cell for cell in cells if cell[:1] in tuple("=+-@\t\r")]
    assert "'=1+1" in cells
    assert "'@me" in cells


def test_a_table_is_told_as_unicode_and_no_cell_is_taken_for_a_number(tmp_path: Path) -> None:
    plain = AnnotatedModel(
        name="s", classes=("husky",), layers=(LayerSpec("0", 20), LayerSpec("conv", 2))
    )
    log = [
        Annotation("12345e6789012345", "0:17", "1/2", author="007", time="t"),
        Annotation("1234567890123456", "conv:1", "ähnlich wie Schnee", concepts=("7",), time="t"),
    ]
    z = plain.with_(log=tuple(log))
    path = write_annotations(z, tmp_path / "a.csv").path
    assert path.read_bytes().startswith(b"\xef\xbb\xbftarget,")
    rows = read(path)
    assert [row["target"] for row in rows] == ["'0:17", "conv:1"]
    assert [row["id"] for row in rows] == ["'12345e6789012345", "'1234567890123456"]
    assert rows[1]["concepts"] == "'7"
    for name in ("a.csv", "b.csv"):  # with the mark and without
        (tmp_path / name).write_bytes(path.read_bytes()[0 if name == "a.csv" else 3 :])
        found = [row.entry for row in read_annotations(tmp_path / name).rows]
        assert [(e.id, e.target, e.text, e.author, e.concepts) for e in found] == [
            (e.id, e.target, e.text, e.author, e.concepts) for e in log
        ]
    # What CLIP-Dissect's own programs read has numbers as numbers, and no mark.
    other = write_annotations(z, tmp_path / "descriptions.csv").path
    assert other.read_bytes().startswith(b"layer,unit,")
    assert read(other)[0]["unit"] == "17"


def test_clip_dissect_columns_come_first_and_a_similarity_is_not_made_up(
    said: AnnotatedModel, tmp_path: Path
) -> None:
    made = write_annotations(said, tmp_path / "descriptions.csv")
    assert (made.format, made.rows) == ("clip-dissect", 2)
    assert made.left_out == ("group:conv1:1,conv1:2",)
    rows = read(made.path)
    assert list(rows[0])[:4] == ["layer", "unit", "description", "similarity"]
    assert [(r["layer"], r["unit"], r["similarity"]) for r in rows] == [
        ("conv1", "3", ""),
        ("output", "7", ""),
    ]


def test_neuronpedia_rows_have_its_keys(said: AnnotatedModel, tmp_path: Path) -> None:
    made = write_annotations(said, tmp_path / "n.jsonl", format="neuronpedia")
    rows = [json.loads(line) for line in made.path.read_text("utf-8").splitlines()]
    keys = (
        "id modelId layer index description authorId typeName explanationModelName notes createdAt"
    )
    assert [" ".join(row) for row in rows] == [keys, keys]
    assert rows[1]["explanationModelName"] == "net"
    assert rows[0]["explanationModelName"] is None
    assert {row["modelId"] for row in rows} == {"small"}


def test_a_file_that_is_there_is_replaced_only_when_told(
    said: AnnotatedModel, tmp_path: Path
) -> None:
    path = tmp_path / "a.csv"
    path.write_text("edited by hand")
    with pytest.raises(AnnotationFileError, match="there already"):
        write_annotations(said, path)
    assert path.read_text() == "edited by hand"
    write_annotations(said, path, overwrite=True)
    assert len(read(path)) == 3
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(AnnotationFileError, match="not a plain file"):
        write_annotations(said, tmp_path / "folder.csv", overwrite=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.csv", "folder.csv"]


def test_through_a_link_the_file_is_written_and_the_link_stays(
    said: AnnotatedModel, tmp_path: Path
) -> None:
    (tmp_path / "real.csv").write_text("x")
    (tmp_path / "link.csv").symlink_to("real.csv")
    write_annotations(said, tmp_path / "link.csv", overwrite=True)
    assert (tmp_path / "link.csv").is_symlink()
    assert len(read(tmp_path / "real.csv")) == 3


@pytest.mark.parametrize("name", ["a.txt", "a", "a.xlsx", "a.json"])
def test_a_name_that_tells_no_format_is_refused(
    said: AnnotatedModel, tmp_path: Path, name: str
) -> None:
    with pytest.raises(AnnotationFileError, match="no format"):
        write_annotations(said, tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_formats_without_a_history_say_so(said: AnnotatedModel, tmp_path: Path) -> None:
    for form in ("clip-dissect", "neuronpedia"):
        with pytest.raises(AnnotationFileError, match="history"):
            write_annotations(said, tmp_path / "a.csv", format=form, history=True)
    with pytest.raises(AnnotationFileError, match="'xml' is no format"):
        write_annotations(said, tmp_path / "a.csv", format="xml")


def test_a_full_disk_leaves_what_was_there(said: AnnotatedModel, tmp_path: Path, disk: Any) -> None:
    path, z = tmp_path / "a.csv", said
    path.write_text("old")
    told: list[str] = []
    for at in range(1, 20):
        with disk("full", at).watched() as watch:
            try:
                write_annotations(z, path, overwrite=True)
            except BundleWriteError as error:
                told.append(str(error))
        if watch.count < at:
            break
        assert [p.name for p in tmp_path.iterdir()] == ["a.csv"]
        assert path.read_text() == "old" or len(read(path)) == 3
        path.write_text("old")
    assert len(told) >= 3
    assert all("disk is full" in text for text in told)
