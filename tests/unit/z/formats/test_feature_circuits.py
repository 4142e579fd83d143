from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from circuitz.errors import AnnotationFileError
from circuitz.z.formats import import_annotations, read_annotations
from circuitz.z.model import AnnotatedModel

File = Callable[..., Path]


def line(component: str, layer: str, feature: int, text: str | None, **more: Any) -> str:
    place = f"{component}_{layer}" if layer else component
    record: dict[str, Any] = {"Component": component, "Layer": layer, "Feature": str(feature)}
    record |= {"Name": f"{place}/{feature}", **more}
    return json.dumps(record if text is None else record | {"Annotation": text}) + "\n"


HEAD = json.dumps(
    {"Component": "Component", "Layer": "", "Feature": "", "Name": "Name",
     "Annotation": "Annotation", "Notes": "Notes"}
) + "\n"  # fmt: skip
TEXT = (
    line("embed", "", 3, None)
    + line("resid", "5", 2, "plural nouns", Notes="of people")
    + HEAD
    + line("resid", "5", 4, "")
    + line("mlp", "0", 1, "verbs", notes="in code")
)


def test_each_feature_with_words_is_read_as_a_persons(file: File) -> None:
    found = read_annotations(file("annotations.jsonl", TEXT))
    assert (found.format, found.empty) == ("feature-circuits", 3)
    first, second = (row.entry for row in found.rows)
    assert (first.target, first.text) == ("resid_5:2", "plural nouns")
    assert (first.author, first.author_kind) == ("feature-circuits", "person")
    assert first.evidence == ("Notes: of people",)
    assert second.evidence == ("Notes: in code",)


def test_their_names_are_mapped_to_layers_of_z(bare: AnnotatedModel, file: File) -> None:
    path = file("annotations.jsonl", TEXT)
    with pytest.raises(AnnotationFileError, match=r"resid_5, mlp_0.* It has conv1,") as caught:
        import_annotations(bare, read_annotations(path))
    assert caught.value.code == "annotation-file"
    names = {"resid_5": "conv1", "*": ""}
    found = read_annotations(path, layer_map=names)
    assert [row.entry.target for row in found.rows] == ["conv1:2"]
    assert "1 lines about layers that were left out" in found.remarks[0]
    assert import_annotations(bare, found).z.effective()["conv1:2"].text == "plural nouns"


def test_of_two_lines_on_a_feature_the_last_counts_and_that_is_said(file: File) -> None:
    path = file("a.jsonl", line("resid", "5", 2, "nouns") + line("resid", "5", 2, "plural nouns"))
    found = read_annotations(path)
    assert [row.entry.text for row in found.rows] == ["plural nouns"]
    assert "1 lines are followed by another" in found.remarks[0]


@pytest.mark.parametrize("indent", [None, 4])
def test_the_older_form_is_one_object(file: File, indent: int | None) -> None:
    words = {"attn_5/7": "verb forms", "resid_4/3": "ends of clauses"}
    found = read_annotations(file("5_annotations.json", json.dumps(words, indent=indent)))
    assert [(row.entry.target, row.entry.text) for row in found.rows] == [
        ("attn_5:7", "verb forms"), ("resid_4:3", "ends of clauses"),
    ]  # fmt: skip


def test_a_name_of_another_kind_is_named(file: File) -> None:
    path = file("a.jsonl", TEXT + json.dumps({"Name": "5, resid_5/3", "Annotation": "x"}))
    with pytest.raises(AnnotationFileError, match=r"Line 6: Its Name '5, resid_5/3' is not like"):
        read_annotations(path)
    with pytest.raises(AnnotationFileError, match="Line 1: It lacks Name"):
        read_annotations(file("b.jsonl", '{"target":"a:1","text":"x"}'), format="feature-circuits")
