from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from circuitz.errors import AnnotationFileError
from circuitz.z.formats import import_annotations, read_annotations
from circuitz.z.model import AnnotatedModel

File = Callable[..., Path]
HEADER = (
    "unit,category,label,score,object-label,object-truth,object-activation,object-intersect,"
    "object-iou,color-label,color-truth,color-activation,color-intersect,color-iou\n"
)
TABLE = HEADER + (
    "8,object,pool_table,0.21899,pool_table,1169902,2106473.0,301836,0.21899,red-c,1,1.0,1,0.01\n"
    "1,color,red-c,0.05,car,1169902,2106473.0,301836,0.02,red-c,142117568,3246821.0,92,0.05\n"
    "3,object,car,0.0312,car,1,1.0,1,0.0312,red-c,1,1.0,1,0.003\n"
)


def test_the_best_label_of_each_unit_counted_from_one(bare: AnnotatedModel, file: File) -> None:
    found = read_annotations(file("conv1-result.csv", TABLE))
    assert found.format == "netdissect"
    assert [(row.entry.target, row.entry.text) for row in found.rows] == [
        ("conv1:7", "pool table"), ("conv1:0", "red"), ("conv1:2", "car"),
    ]  # fmt: skip
    entry = found.rows[0].entry
    assert (entry.author, entry.author_kind) == ("NetDissect", "rule")
    assert "conv1-result.csv, unit 8: object pool_table, IoU 0.219" in entry.evidence[0]
    assert "confidence" not in found.rows[0].stated_fields
    assert "counted from 1" in found.remarks[0]
    assert "1 units have an intersection over union below 0.04" in found.remarks[1]
    z = import_annotations(bare, found).z
    assert z.effective()["conv1:7"].author_kind == "rule"


def test_a_table_with_a_unit_0_is_counted_from_0(file: File) -> None:
    found = read_annotations(file("conv1.csv", "unit,label,iou\n0,snow,0.2\n7,grass,0.1\n"))
    assert [row.entry.target for row in found.rows] == ["conv1:0", "conv1:7"]
    assert "counted from 0" in found.remarks[0]


def test_the_layer_is_a_column_or_the_name_and_may_be_mapped(
    bare: AnnotatedModel, file: File
) -> None:
    text = "layer,unit,label,category,score\nconv1,1,snow,object,0.2\n"
    assert read_annotations(file("t.csv", text)).rows[0].entry.target == "conv1:0"
    with pytest.raises(AnnotationFileError, match=r"does not have: tally\. It has conv1") as caught:
        import_annotations(bare, read_annotations(file("tally.csv", TABLE)))
    assert "--layer-map tally=conv1" in caught.value.hint
    found = read_annotations(file("tally.csv", TABLE), layer_map={"tally": "conv1"})
    assert import_annotations(bare, found).counts()["new"] == 3


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("unit,label,score\nfirst,snow,0.2\n", "Line 2: Its unit 'first' is no number"),
        ("unit,label,score\n1,snow,high\n", "Line 2: Its score 'high' is no number"),
        ("unit,label,score\n1,snow,\n", "Line 2: It has no score"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(file: File, text: str, said: str) -> None:
    with pytest.raises(AnnotationFileError, match=said):
        read_annotations(file("conv1.csv", text))


def test_only_colours_and_scenes_lose_their_endings(file: File) -> None:
    text = "unit,category,label,score\n1,scene,ball_pit-s,0.1\n2,object,vitamin-c,0.1\n"
    found = read_annotations(file("conv1.csv", text))
    assert [row.entry.text for row in found.rows] == ["ball pit", "vitamin-c"]


def test_a_score_may_stand_in_the_columns_of_its_category(file: File) -> None:
    text = "unit,category,label,object-iou,part-iou\n1,object,dog,0.2,0.01\n"
    found = read_annotations(file("conv1.csv", text))
    assert "IoU 0.200" in found.rows[0].entry.evidence[0]
    with pytest.raises(AnnotationFileError, match="not NetDissect's"):
        read_annotations(file("a.csv", "unit,text\n"), format="netdissect")
