from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import FrozenInstanceError

import numpy as np
import pytest

from circuitz.errors import AnnotationError, LayerError, UnitError
from circuitz.lexicon.lexicon import Lexicon
from circuitz.z.finding import Waiver
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.z.model import AnnotatedModel

ONE_WORD = Lexicon.from_text("extends: none\nconcepts:\n  snow: {kind: surroundings}\n")


def test_a_z_is_a_value(z: AnnotatedModel) -> None:
    before = z.hash, z.log
    after = z.annotate("conv2:2", "ears", concepts=("pointed ears",))
    assert (z.hash, z.log) == before
    assert after.hash != z.hash
    assert after.parent == z.hash
    with pytest.raises(FrozenInstanceError):
        z.name = "other"
    with pytest.raises(ValueError, match="read-only"):
        z.weights["conv2.weight"][0] = 0
    assert copy.copy(z) is z
    assert copy.deepcopy(z) is z


def test_later_changes_of_what_it_was_made_from_do_not_reach_it() -> None:
    weight, notes = np.zeros(3, np.float32), {"a": [1]}
    z = AnnotatedModel("m", ("a",), weights={"w": weight}, notes=notes)
    locked = weight.view()
    locked.flags.writeable = False
    other = AnnotatedModel("m", ("a",), weights={"w": locked})
    weight[0] = 5
    notes["a"].append(2)
    assert z.weights["w"][0] == 0
    assert other.weights["w"][0] == 0
    assert z.notes == {"a": [1]}


def test_concepts_are_parsed_by_the_lexicon_unless_given(z: AnnotatedModel) -> None:
    parsed = z.annotate("conv2:2", "deep snow", lexicon=ONE_WORD).effective()["conv2:2"]
    assert (parsed.concepts, parsed.lexicon_hash) == (("snow",), ONE_WORD.hash)
    given = z.annotate("conv2:2", "deep snow", concepts=(), lexicon=ONE_WORD)
    assert given.effective()["conv2:2"].concepts == ()


def test_the_shipped_lexicon_is_the_default(z: AnnotatedModel) -> None:
    entry = z.annotate("conv2:2", "snow on the ground").effective()["conv2:2"]
    assert "snow" in entry.concepts
    assert entry.lexicon_hash


def test_an_annotation_records_what_its_author_saw(z: AnnotatedModel) -> None:
    entry = z.annotate(
        "conv2:2", "ears", concepts=["pointed ears"], author="bob", author_kind="model",
        confidence=0.25, evidence=["abc"],
    ).log[-1]  # fmt: skip
    assert entry.author == "bob"
    assert entry.author_kind == "model"
    assert entry.confidence == 0.25
    assert entry.evidence == ("abc",)
    assert entry.weights_hash == z.weights_hash
    assert entry.time.startswith("20")


def test_a_second_annotation_supersedes_the_first(z: AnnotatedModel) -> None:
    again = z.annotate("conv2:1", "ice", concepts=())
    assert again.log[-1].supersedes == z.log[-1].id
    assert again.effective()["conv2:1"].text == "ice"
    assert len(again.annotations) == 1


def test_a_rule_proposing_over_a_person_stays_out_of_force(z: AnnotatedModel) -> None:
    ruled = z.annotate("conv2:1", "coat", concepts=(), author_kind="rule")
    assert ruled.effective()["conv2:1"].text == "snow on the ground"
    assert ruled.retract(z.log[-1].id).effective()["conv2:1"].text == "coat"


@pytest.mark.parametrize("confidence", [-0.1, 1.1, float("nan"), "much", None])
def test_confidence_is_a_share(z: AnnotatedModel, confidence: object) -> None:
    with pytest.raises(AnnotationError, match="0 to 1"):
        z.annotate("conv2:1", "x", concepts=(), confidence=confidence)


def test_wrong_edits_are_refused_and_change_nothing(z: AnnotatedModel) -> None:
    with pytest.raises(UnitError, match="conv2:0 to conv2:3"):
        z.annotate("conv2:4", "x", concepts=())
    with pytest.raises(AnnotationError, match="kind of author"):
        z.annotate("conv2:1", "x", concepts=(), author_kind="robot")
    with pytest.raises(AnnotationError, match="sequence"):
        z.annotate("conv2:1", "x", concepts="snow")
    with pytest.raises(AnnotationError, match="empty"):
        z.annotate("conv2:1", " ", concepts=())
    with pytest.raises(AnnotationError, match="No annotation"):
        z.retract("conv2:3")
    with pytest.raises(UnitError):
        z.retract("conv9:3")
    assert len(z.log) == 1


def test_groups_edges_classes_and_directions_can_be_annotated(z: AnnotatedModel) -> None:
    for target in ("group:conv2:0,conv2:1", "edge:conv1:0->conv2:1", "output:husky", "conv2@nmf:2"):
        z = z.annotate(target, "something", concepts=())
        assert target in z.effective()
    assert len(z.annotations) == 5


def test_undo_and_redo(z: AnnotatedModel) -> None:
    two = z.annotate("conv2:2", "ears", concepts=())
    back = two.undo(author="bob")
    assert back.hash == z.hash
    assert back.log[-1].author == "bob"
    assert back.redo().hash == two.hash
    with pytest.raises(AnnotationError, match="undo"):
        back.undo().undo()
    assert len(two.undo().redo().undo().log) == 5


def test_history_is_of_one_target_or_all(z: AnnotatedModel) -> None:
    z = z.annotate("conv2:2", "ears", concepts=()).undo()
    assert len(z.history()) == 3
    assert len(z.history("conv2:02")) == 2


def test_hash_ignores_authors_times_and_order(
    z: AnnotatedModel, relabelled: Callable[..., AnnotatedModel]
) -> None:
    one = z.annotate("conv2:2", "a", concepts=()).annotate("conv2:3", "b", concepts=())
    two = z.annotate("conv2:3", "b", concepts=()).annotate("conv2:2", "a", concepts=())
    assert one.hash == two.hash == relabelled(one, "somebody else").hash


@pytest.mark.parametrize(
    "change",
    [
        {"weights": {"conv2.weight": np.ones(3, np.float32)}},
        {"bases": {}},
        {"preprocessing": Preprocessing(mean=(0.1, 0.5, 0.5), size=(8, 8))},
        {"classes": ("poodle", "husky", "beagle")},
        {"cut": ("conv1",)},
        {"builder_args": {"width": 5}},
        {"log": ()},
    ],
)
def test_hash_follows_what_z_is(z: AnnotatedModel, change: dict[str, object]) -> None:
    assert z.with_(**change).hash != z.hash


@pytest.mark.parametrize(
    "change",
    [{"story": "x"}, {"notes": {}}, {"findings": ()}, {"measurements": None}, {"name": "y"}],
)
def test_hash_ignores_what_is_only_said_about_z(
    z: AnnotatedModel, change: dict[str, object]
) -> None:
    after = z.with_(**change)
    assert after.hash == z.hash
    assert after.parent == z.parent


def test_hash_follows_text_concepts_and_confidence(z: AnnotatedModel) -> None:
    base = {"text": "snow", "concepts": ("snow",), "confidence": 1.0}
    variants = [
        base,
        base | {"text": "Snow"},
        base | {"concepts": ()},
        base | {"concepts": ("sn", "ow")},
        base | {"confidence": 0.5},
    ]
    hashes = {
        z.annotate("conv2:2", v["text"], concepts=v["concepts"], confidence=v["confidence"]).hash
        for v in variants
    }
    assert len(hashes) == len(variants)


def test_lineage_connects_every_step_and_counts_a_run_of_edits_once(z: AnnotatedModel) -> None:
    start = z.parent
    edited = z.annotate("conv2:2", "a", concepts=()).annotate("conv2:3", "b", concepts=())
    assert len(edited.lineage) == 1
    assert edited.lineage[-1]["hash"] == edited.hash
    assert edited.lineage[-1]["parent"] == start
    trained = edited.with_(what="training", weights={"w": np.ones(2)})
    assert [step["what"] for step in trained.lineage] == ["annotations", "training"]
    assert trained.lineage[-1]["parent"] == edited.hash == trained.parent
    assert trained.lineage[-1]["version"]


def test_with_refuses_fields_it_does_not_have(z: AnnotatedModel) -> None:
    with pytest.raises(TypeError, match="wieghts"):
        z.with_(wieghts={})


def test_stale_names_what_changed_since_measuring(
    z: AnnotatedModel, new_inputs: Callable[..., object]
) -> None:
    assert z.stale == ("weights", "concepts")
    assert z.with_(measurements=None).stale == ()
    assert "data" in z.with_(data=new_inputs(role="D")).stale


def test_findings_name_what_changed_since_they_were_made(
    z: AnnotatedModel, new_finding: Callable[..., object]
) -> None:
    made_from = (("annotations", z.annotations_hash), ("weights", z.weights_hash), ("code", "1"))
    z = z.with_(findings=(new_finding(hashes=made_from),))
    assert z.findings_stale == ()
    edited = z.annotate("conv2:2", "x", concepts=())
    assert edited.findings_stale == ("annotations",)
    assert edited.undo().findings_stale == ()
    trained = edited.with_(weights={"w": np.ones(2)})
    assert trained.findings_stale == ("annotations", "weights")
    assert "findings stale (annotations, weights changed)" in repr(trained)
    assert "Findings are stale: annotations, weights" in trained._repr_html_()
    assert z.with_(findings=()).findings_stale == ()


def test_units_without_and_with_measurements(z: AnnotatedModel) -> None:
    units = z.units
    assert len(units) == 2 + 4 + 3
    row = units.set_index("unit").loc["conv2:1"]
    assert row["annotation"] == "snow on the ground"
    assert row["concepts"] == ("snow",)
    assert row["in_cut"]
    measured = z.measurements.layers["conv2"]
    assert row["mean"] == pytest.approx(float(measured.responses[:, 1].mean()))
    assert row["max"] == pytest.approx(float(measured.peaks[:, 1].max()))
    assert row["drives"] in z.classes
    bare = z.with_(measurements=None).units
    assert bare["mean"].isna().all()
    assert list(bare["unit"][:3]) == ["conv1:0", "conv1:1", "conv2:0"]
    assert list(AnnotatedModel("m", ("a",)).units.columns) == list(units.columns)


def test_annotations_come_in_the_order_of_units(z: AnnotatedModel) -> None:
    z = z.with_(layers=(LayerSpec("conv2", 20),), bases={}).annotate("conv2:10", "a", concepts=())
    z = z.annotate("conv2:9", "b", concepts=())
    assert list(z.annotations["target"]) == ["conv2:1", "conv2:9", "conv2:10"]


@pytest.mark.parametrize(
    "fields",
    [
        {"layers": (LayerSpec("a", 1), LayerSpec("a", 2))},
        {"cut": ("nowhere",)},
        {"classes": ("a", "a")},
        {"classes": ("",)},
    ],
)
def test_what_does_not_fit_together_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(LayerError):
        AnnotatedModel(**{"name": "m", "classes": ("a",), **fields})


def test_repr_says_what_it_is(z: AnnotatedModel, new_finding: Callable[..., object]) -> None:
    assert repr(z) == (
        "AnnotatedModel husky: 3 classes, 2 layers, 6 units, cut conv2 (4), accuracy on D "
        "not known, 1 annotated, 1 flagged, unexplained share not checked, measurements stale "
        "(weights, concepts changed)"
    )
    share = new_finding(id="u", kind="unexplained-effect", estimate=0.312, ci=(0.25, 0.4))
    assert "unexplained up to 31% [25%, 40%] (husky)" in repr(z.with_(findings=(share,)))
    waived = z.with_(waivers=(Waiver("f1", "ann", "fine", ""),))
    assert "0 flagged" in repr(waived)
    assert "not checked" in repr(z.with_(findings=()))
    assert "session only" in repr(z.with_(builder=""))


def test_nothing_here_needs_torch() -> None:
    code = (
        "import sys, circuitz.z.bundle.load_save, circuitz.z.edits.diff, circuitz.z.shown.repr_html, circuitz.z.model;"
        "sys.exit(any(m == 'torch' or m.startswith('torch.') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
