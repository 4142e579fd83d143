from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from circuitz.errors import AnnotationFileError, CircuitzError
from circuitz.z.formats import annotation_reader as read
from circuitz.z.formats import annotation_row as rows
from circuitz.z.formats.annotation_reader import read_annotations

File = Callable[..., Path]


def words(path: Path, form: str = "auto") -> list[tuple[str, str]]:
    return [(r.entry.target, r.entry.text) for r in read_annotations(path, format=form).rows]


def test_a_table_made_by_hand(file: File) -> None:
    path = file(
        "a.csv", '\ufeffunit,annotation,note\r\nconv1:0,snow,x\r\n\r\nconv1:1,"a\r\nb",\r\n'
    )
    found = read_annotations(path)
    assert found.format == "csv"
    assert [(r.line, r.entry.target, r.entry.text) for r in found.rows] == [
        (2, "conv1:0", "snow"),
        (5, "conv1:1", "a\nb"),
    ]
    assert found.rows[0].stated_fields == {"target", "text"}


def test_units_without_words_are_counted_and_passed_over(file: File) -> None:
    found = read_annotations(file("a.csv", "unit,annotation\nconv1:0,\nconv1:1, \nconv1:2,x\n"))
    assert (len(found.rows), found.empty) == (1, 2)


def test_the_format_is_told_by_name_and_columns(file: File) -> None:
    row = {"modelId": "m", "layer": "conv1", "index": "3", "description": "snow"}
    line = json.dumps(row)
    for name, data, form in (
        ("a.csv", "target,text\nconv1:1,x\n", "csv"),
        ("a.csv", "layer,unit,description,similarity\nconv1,1,x,4.2\n", "clip-dissect"),
        ("a.jsonl", '{"target":"conv1:1","text":"x"}\n', "jsonl"),
        ("a.jsonl", f"{line}\n", "neuronpedia"),
        ("a.json", f"[{line},{line}]", "neuronpedia"),
        ("a.json", json.dumps({"explanations": [row]}), "neuronpedia"),
        ("a.jsonl.gz", gzip.compress(line.encode()), "neuronpedia"),
        ("a.csv.gz", gzip.compress(b"target,text\nconv1:1,x\n"), "csv"),
        ("words", f"{line}\n", "neuronpedia"),
        ("words", "target,text\nconv1:1,x\n", "csv"),
    ):
        assert read_annotations(file(name, data)).format == form


def test_clip_dissect_speaks_as_a_model_and_similarity_is_no_confidence(file: File) -> None:
    path = file("d.csv", "layer,unit,description,similarity\nconv1,1,snow,4.2\nconv1,02,,\n")
    found = read_annotations(path)
    (row,) = found.rows
    assert row.entry.target == "conv1:1"
    assert (row.entry.author, row.entry.author_kind) == ("CLIP-Dissect", "model")
    assert "confidence" not in row.stated_fields
    assert found.empty == 1


def test_a_table_of_layers_and_units_is_a_guess_unless_it_says_whose(file: File) -> None:
    found = read_annotations(file("d.csv", "layer,unit,description\nconv1,1,snow\n"))
    assert (found.format, found.rows[0].entry.author_kind) == ("clip-dissect", "model")
    assert "guessed" in found.remarks[0]
    text = "layer,unit,description,author_kind\nconv1,1,snow,person\n"
    found = read_annotations(file("d.csv", text))
    assert (found.rows[0].entry.author_kind, found.remarks) == ("person", ())


def test_neuronpedia_rows_keep_author_kind_and_time(file: File) -> None:
    base = {"modelId": "m", "layer": "l@b", "index": 3, "description": "d", "notes": "{}"}
    lines = [
        {**base, "explanationModelName": "explainer", "createdAt": "2024-01-01", "id": "x"},
        {**base, "index": "4", "authorId": "clara", "notes": "free text", "embedding": None},
        {**base, "index": "5"},
    ]
    path = file("n.jsonl", "\n".join(map(json.dumps, lines)))
    one, two, three = (row.entry for row in read_annotations(path).rows)
    assert (one.target, one.author, one.author_kind) == ("l@b:3", "explainer", "model")
    assert (one.time, one.id) == ("2024-01-01", "x")
    assert (two.author, two.author_kind) == ("clara", "person")
    assert three.author == "Neuronpedia"
    lines[1]["modelId"] = "other"
    with pytest.raises(AnnotationFileError, match="2 models"):
        read_annotations(file("n.jsonl", "\n".join(map(json.dumps, lines))))


def test_explanations_without_a_description_come_first_or_anywhere(file: File) -> None:
    row = {"modelId": "m", "layer": "conv1", "index": "1", "typeName": "t", "authorId": "z",
           "explanationModelName": "y"}  # fmt: skip
    lines = [row, {**row, "index": "2", "description": "snow"}, {**row, "description": None}]
    for name, data in (
        ("e.jsonl", "\n".join(map(json.dumps, lines))),
        ("e.json", json.dumps(lines, indent=2)),
        ("e.json", json.dumps({"explanations": lines}, indent=2)),
    ):
        found = read_annotations(file(name, data))
        assert (found.format, found.empty) == ("neuronpedia", 2)
        assert [r.entry.target for r in found.rows] == ["conv1:2"]
    assert read_annotations(file("e.jsonl", json.dumps(row))).format == "neuronpedia"


def test_features_with_their_explanations_inside(file: File) -> None:
    features = [
        {"modelId": "m", "layer": "conv1", "index": str(i), "activations": [],
         "explanations": [{"description": f"words {i}", "explanationModelName": "y"}]}
        for i in range(2)
    ]  # fmt: skip
    lines = "\n".join(map(json.dumps, features))
    assert words(file("f.jsonl", lines)) == [("conv1:0", "words 0"), ("conv1:1", "words 1")]


BAD: list[tuple[str, str | bytes, str]] = [
    ("a.csv", "", "empty"),
    ("a.csv", "\ufeff \n\n", "empty"),
    ("a.csv", ",,\n", "empty"),
    ("a.csv", "target;text\nconv1:1;x\n", "semicolons"),
    ("a.csv", "target\ttext\nconv1:1\tx\n", "tabs"),
    ("a.csv", "target|text\nconv1:1|x\n", "bars"),
    ("a.csv", "name,meaning\na,b\n", "no column 'target'"),
    ("a.csv", "target,words\na,b\n", "no column 'text'"),
    ("a.csv", "target,text,text\na,b,c\n", "'text' twice"),
    ("a.csv", "target,text\nconv1:1,x\nconv1:2,a,b\n", "Line 3 has 3 cells"),
    ("a.csv", "target,text\nconv1:1\n", "Line 2 has 1 cells"),
    ("a.csv", 'target,text\nconv1:1,"x\n', "not CSV"),
    ("a.csv", 'target,text\nconv1:1,"x"y\n', "not CSV"),
    ("a.csv", "target,text\nconv1:1," + "x" * 200_000 + "\n", "not CSV"),
    ("a.csv", "target,text\nconv1:1," + "x" * 3000 + "\n", "Line 2: .*3,000 characters"),
    ("a.csv", "target,text\n,snow\n", "Line 2: It names no unit"),
    ("a.csv", "target,text\nconv1:1,a\u202eb\n", "U\\+202E"),
    ("a.csv", "target,text\nconv1:1,a\x1b[31m\n", "U\\+001B"),
    ("a.csv", "target,text,confidence\nconv1:1,a,2\n", "Line 2: .*not in 0 to 1"),
    ("a.csv", "target,text,confidence\nconv1:1,a,nan\n", "not in 0 to 1"),
    ("a.csv", "target,text,confidence\nconv1:1,a,0;5\n", "no number"),
    ("a.csv", "target,text,author_kind\nconv1:1,a,robot\n", "robot"),
    ("a.csv", "target,text,concepts\nconv1:1,a,[1]\n", "concept"),
    ("a.csv", "target,text,retracted\nconv1:1,a,false\nconv1:2,b,\n", "in others"),
    ("a.csv", b"target,text\nconv1:1,x\nconv1:2,\xff\xfe\n", "line 3 has the byte 0xff"),
    ("a.csv", "target,text\nconv1:1,x\n".encode("utf-16"), "UTF-16"),
    ("a.csv", "target,text\nconv1:1,x\0y\n", "line 2 has a zero byte"),
    ("a.jsonl", "{", "not JSON"),
    ("a.jsonl", "[" * 100_000, "deep"),
    ("a.jsonl", '{"target":"conv1:1","text":' + "[" * 5000 + "]" * 5000 + "}", "deep"),
    ("a.jsonl", '{"target":"conv1:1","text":' + "9" * 5000 + "}", "."),
    ("a.jsonl", '{"target":"conv1:1","text":"x"}\n3\n', "Line 2 is no object"),
    ("a.jsonl", '{"target":"conv1:1","text":5}', "Line 1: Its text is a int"),
    ("a.jsonl", '{"target":["a"],"text":"x"}', "Its target is a list"),
    ("a.jsonl", '{"target":"conv1:1","text":"x","confidence":true}', "confidence"),
    ("a.jsonl", '{"target":"conv1:1","text":"x","concepts":"snow"}', "not a list"),
    ("a.jsonl", '{"target":"conv1:1","text":"x","concepts":[1]}', "concept"),
    ("a.jsonl", '{"target":"conv1:1","text":"x","code":"rm"}', "'code'"),
    ("a.jsonl", '{"target":"conv1:1","target":"a","text":"x"}', "twice"),
    ("a.jsonl", '{"target":"conv1:1","text":"\\ud800"}', "U\\+D800|surrogate"),
    ("a.jsonl", '{"target":"conv1:1","text":"x","author_kind":["person"]}', "author"),
    ("a.jsonl", '{"target":"conv1:1","text":"x","retracted":"no"}', "retracted"),
    ("a.jsonl", '{"layer":"a","index":1.5,"description":"x"}', "layer or index"),
    ("a.jsonl", '{"layer":"a","index":"1","description":["x"]}', "text is a list"),
    ("a.jsonl", '{"layer":"a","index":"1","description":"x","typeName":"circuitz","notes":"["}', "notes"),
    ("a.jsonl", '{"layer":"a","index":"1","description":"x","typeName":"circuitz","notes":"3"}', "notes"),
    ("a.jsonl.gz", b"\x1f\x8b broken", "unpacked"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "data", "said"), BAD)
def test_what_is_wrong_is_named_with_its_line(
    file: File, name: str, data: str | bytes, said: str
) -> None:
    with pytest.raises(AnnotationFileError, match=said) as caught:
        read_annotations(file(name, data))
    assert name in str(caught.value)


def test_many_wrong_lines_are_told_in_short(file: File) -> None:
    path = file("a.csv", "target,text\n" + ",x\n" * 50_000)
    with pytest.raises(AnnotationFileError, match="49,995 more lines") as caught:
        read_annotations(path)
    assert len(str(caught.value)) < 1000


def test_files_that_cannot_be_read_are_named_and_nothing_hangs(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "loop.csv").symlink_to("loop.csv")
    names = ["pipe.csv", "folder.csv", "loop.csv", "missing.csv", "x" * 300, "a\0b"]
    for path in [*(tmp_path / name for name in names), Path("/dev/zero")]:
        with pytest.raises(AnnotationFileError):
            read_annotations(path)


def test_a_wrong_format_is_named(file: File) -> None:
    path = file("a.csv", "target,text\nconv1:1,x\n")
    for form in ("clip-dissect", "neuronpedia", "jsonl", "xml"):
        with pytest.raises(AnnotationFileError):
            read_annotations(path, format=form)


def test_large_files_and_bombs_are_refused(file: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MAX_BYTES", 10_000)
    for name, data in (
        ("a.csv", "target,text\n" + "conv1:1,x\n" * 2000),
        ("a.csv.gz", gzip.compress(b"x" * 20_000)),
    ):
        with pytest.raises(AnnotationFileError, match="more than 10,000"):
            read_annotations(file(name, data))
    monkeypatch.setattr("circuitz.z.formats.annotation_csv.MAX_ROWS", 10)
    monkeypatch.setattr(read, "MAX_ROWS", 10)
    monkeypatch.setattr(rows, "MAX_ROWS", 10)
    for name, line in (("a.csv", "conv1:1,x\n"), ("a.jsonl", '{"target":"a:1","text":"x"}\n')):
        head = "target,text\n" if name == "a.csv" else ""
        with pytest.raises(AnnotationFileError, match=r"more than 10|10 are read"):
            read_annotations(file(name, head + line * 11))


def test_an_error_is_one_of_ours_whatever_the_bytes(file: File) -> None:
    for name in ("a.csv", "a.jsonl", "a.gz"):
        for data in (
            b"\x00",
            b"\xef\xbb\xbf",
            b"\xed\xa0\x80",
            b"NaN",
            b"{}",
            b"[]",
            b'"',
            b"[{}]",
        ):
            with suppress(CircuitzError):
                assert read_annotations(file(name, data)).rows == ()
