from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from circuitz.errors import AnnotationFileError
from circuitz.z.formats import import_annotations, read_annotations
from circuitz.z.model import AnnotatedModel

File = Callable[..., Path]
SCOPE, OTHER = "20-gemmascope-res-16k", "21-gemmascope-res-16k"


def explanations(*layers: str) -> str:
    rows = [
        {"modelId": "m", "layer": layer, "index": str(i), "description": f"words {i}"}
        for i, layer in enumerate(layers)
    ]
    return "\n".join(map(json.dumps, rows))


def test_an_unmapped_layer_is_named_with_the_layers_of_both(
    bare: AnnotatedModel, file: File
) -> None:
    path = file("n.jsonl", explanations(SCOPE, OTHER, "conv1"))
    with pytest.raises(AnnotationFileError) as caught:
        import_annotations(bare, read_annotations(path))
    for name in (SCOPE, OTHER, "conv1", "blocks.1.attn.hook_z", "conv1@nmf"):
        assert name in caught.value.message
    assert f"--layer-map {SCOPE}=conv1" in caught.value.hint


def test_a_layer_becomes_a_layer_or_a_basis_of_z(bare: AnnotatedModel, file: File) -> None:
    path = file("n.jsonl", explanations(SCOPE, OTHER))
    names = {SCOPE: "conv1@nmf", OTHER: "conv1"}
    found = read_annotations(path, layer_map=names)
    assert set(import_annotations(bare, found).z.effective()) == {"conv1@nmf:0", "conv1:1"}
    alone = read_annotations(path, layer_map={SCOPE: "conv1", OTHER: ""})
    assert (len(alone.rows), alone.empty) == (1, 1)


def test_groups_edges_classes_and_positions_are_mapped_by_their_parts(file: File) -> None:
    text = 'target,text\n"group:a:1,a:2",x\nedge:a:1->b:2,y\noutput:husky,z\na:3@pos7,w\n'
    found = read_annotations(file("a.csv", text), layer_map={"a": "conv1"})
    assert [row.entry.target for row in found.rows] == [
        "group:conv1:1,conv1:2", "edge:conv1:1->b:2", "output:husky", "conv1:3@pos7",
    ]  # fmt: skip
    left = read_annotations(file("a.csv", text), layer_map={"a": "conv1", "*": ""})
    assert [row.entry.target for row in left.rows] == [
        "group:conv1:1,conv1:2", "output:husky", "conv1:3@pos7",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ({"20-gemmascope-res-65k": "conv1"}, f"no layer '20-gemmascope-res-65k'.* {SCOPE}"),
        ({"*": "conv1"}, "cannot be 'conv1' at once"),
    ],
)
def test_a_map_that_does_not_fit_the_file_is_named(
    file: File, names: Mapping[str, str], said: str
) -> None:
    with pytest.raises(AnnotationFileError, match=said):
        read_annotations(file("n.jsonl", explanations(SCOPE)), layer_map=names)
