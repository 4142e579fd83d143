"""A basis is fitted, its directions are measured like neurons, and all of it is kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import circuitz as cz
from circuitz.errors import BasisError, InputsError, LayerError, UnitError
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.zoo.builders import build
from circuitz.responses.directions.directions import directions, drop_directions
from circuitz.stats.unit_concept_match import match_units_with_concepts
from circuitz.wrapping.wrap import wrap
from circuitz.z.inputs import InputSet
from circuitz.z.layer import Preprocessing

N = 90


def world():
    """Red and green patches; a concept each, and one that nothing shows."""
    draw = np.random.default_rng(0)
    shown = draw.random((N, 2)) < 0.5
    images = draw.integers(60, 90, (N, 12, 12, 3), dtype=np.uint8)
    for i in range(N):
        for c in range(2):
            if shown[i, c]:
                top, left = draw.integers(0, 8, 2)
                images[i, top : top + 4, left : left + 4, c] = 240
    labels = np.column_stack([shown, np.zeros(N)]).astype(np.float32)
    return InputSet(
        images,
        concepts=labels,
        concept_names=("rust", "grass", "never"),
        split=(np.arange(N) % 3).astype(np.uint8),
        role="concepts",
    )


@pytest.fixture
def z():
    torch.manual_seed(0)
    net = build("small-cnn", {"classes": 3, "widths": [8, 10], "strides": [1, 2]})
    made = wrap(
        net, layers=["conv1", "conv2", "conv1.0"], classes=["a", "b", "c"], cut="conv2",
        preprocess=Preprocessing((0.5,) * 3, (0.25,) * 3, (12, 12)),
    )  # fmt: skip
    return made.with_(concept_set=world())


@pytest.mark.parametrize(
    ("how", "count", "size"), [("pca", 5, 5), ("nmf", 4, 4), ("sae", 12, 12), ("concepts", None, 2)]
)
def test_directions_are_units_with_everything_a_neuron_has(z, how, count, size, tmp_path):
    made = directions(z, "conv2", how, count=count)
    name = f"conv2@{how}"
    layer = made.measurements.layers[name]
    assert layer.responses.shape == (N, size)
    assert layer.exemplars.shape == (size, 9)
    assert layer.exemplar_heat.shape == (size, 9, 6, 6)
    assert layer.statistics.shape == (size, 5)
    assert made.notes["bases"][name]["explained"] <= 1
    rows = made.units[made.units.unit.str.startswith(f"{name}:")]
    assert len(rows) == size
    assert np.isfinite(rows["mean"]).all()
    said = made.annotate(f"{name}:1", "red patches")
    again = cz.load(said.save(tmp_path / "a.z"))
    assert again.hash == said.hash
    assert again.annotations.target.tolist() == [f"{name}:1"]
    place = resolve_unit_space(again, name)
    act = torch.randn(2, 10, 6, 6)
    assert torch.equal(place.maps_of_units(act), resolve_unit_space(made, name).maps_of_units(act))
    assert np.array_equal(again.measurements.layers[name].responses, layer.responses)


def test_concept_directions_match_their_concepts(z):
    for how in ("concepts", "probes"):
        made = directions(z, "conv2", how)
        assert made.notes["bases"][f"conv2@{how}"]["concepts"] == ["rust", "grass"]
        known = made.concept_set
        table = match_units_with_concepts(
            made.measurements.layers[f"conv2@{how}"].responses, known.concepts, known.split == 1
        )
        assert (table.nauprc[:, :2].argmax(1) == [0, 1]).all()
        assert table.nauprc[:, :2].diagonal().min() > 0.5


def test_more_directions_explain_more_and_all_explain_all(z):
    share = [
        directions(z, "conv1", "pca", count=k).notes["bases"]["conv1@pca"]["explained"]
        for k in (1, 4, 8)
    ]
    assert share[0] < share[1] < share[2] == pytest.approx(1, abs=1e-4)


def test_a_matrix_and_an_edit_of_it(z):
    rows = np.eye(10)[[3, 7]]
    made = directions(z, "conv2", rows, name="mine")
    layer = made.measurements.layers["conv2@mine"]
    plain = directions(z, "conv2", np.eye(10), name="all").measurements.layers["conv2@all"]
    assert np.allclose(layer.responses, plain.responses[:, [3, 7]], atol=1e-6)
    assert made.hash != z.hash
    other = directions(made, "conv2", rows[::-1], name="mine")
    assert np.allclose(
        other.measurements.layers["conv2@mine"].responses, layer.responses[:, ::-1], atol=1e-6
    )
    gone = drop_directions(other, "conv2", "mine")
    assert gone.hash == z.hash
    assert "conv2@mine" not in gone.measurements.layers


def test_measuring_again_keeps_and_renews_directions(z):
    made = directions(z, "conv2", "pca", count=3)
    again = cz.measure(made)
    assert again.measurements.layers["conv2@pca"] is made.measurements.layers["conv2@pca"]
    known = z.concept_set
    fewer = InputSet(known.images[:30], role="concepts")
    assert cz.measure(made, fewer).measurements.layers["conv2@pca"].responses.shape == (30, 3)


def test_named_errors(z):
    with pytest.raises(LayerError, match="conv9"):
        directions(z, "conv9")
    with pytest.raises(BasisError, match="never negative"):
        directions(z, "conv1.0", "nmf")
    with pytest.raises(BasisError, match="4 numbers, but conv2 has 10 units"):
        directions(z, "conv2", np.ones((2, 4)), name="odd")
    with pytest.raises(BasisError, match="cannot be fitted"):
        directions(z, "conv2", "pca", count=99)
    with pytest.raises(InputsError, match="zebra"):
        directions(z, "conv2", "concepts", concepts=["zebra"])
    with pytest.raises(InputsError, match="never"):
        directions(z, "conv2", "concepts", concepts=["never"])
    with pytest.raises(InputsError, match="no concept set"):
        directions(z.with_(concept_set=None), "conv2")
    with pytest.raises(UnitError, match="no name for a basis"):
        directions(z, "conv2", "pca", name="a:b")
    with pytest.raises(BasisError, match="no folder"):
        directions(z, "conv2", "nothing/here", name="sae")
    with pytest.raises(BasisError, match=r"'foo'.*pca, nmf"):
        directions(z, "conv2", "foo")
    with pytest.raises(BasisError, match="transpose it, to 2 rows of 10"):
        directions(z, "conv2", np.ones((10, 2)))
    with pytest.raises(BasisError, match="All 3 directions are zero"):
        directions(z, "conv2", np.zeros((3, 10)))
    with pytest.raises(BasisError, match="Direction 1 of 2 is zero"):
        directions(z, "conv2", np.eye(10)[:2] * [[1], [0]])
    with pytest.raises(BasisError, match="Direction 1 of 2 is not finite"):
        directions(z, "conv2", np.eye(10)[:2] * [[1], [np.nan]])


def test_words_are_not_put_on_other_directions(z):
    rows = np.eye(10)[[3, 7]]
    said = directions(z, "conv2", rows, name="mine").annotate("conv2@mine:1", "rust")
    assert directions(said, "conv2", rows, name="mine").bases.hash == said.bases.hash
    with pytest.raises(BasisError, match=r"conv2@mine is there already.*conv2@mine:1"):
        directions(said, "conv2", rows[::-1], name="mine")
    other = directions(said, "conv2", rows[::-1], name="mine", replaces=True)
    assert other.bases.hash != said.bases.hash
    assert len(directions(said, "conv2", rows[::-1], name="other").bases) == 2 * len(said.bases)
