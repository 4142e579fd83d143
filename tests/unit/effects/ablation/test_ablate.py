"""The verb cz.ablate: effects of all units as a table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

import circuitz as cz
from circuitz.effects.ablation.exact_ablation import ablate_each_unit as run_ablation
from circuitz.errors import (
    InputsError,
    LayerError,
    NetworkWarning,
    ProbabilitiesError,
    UnitError,
)
from circuitz.models.run.open_runtime import runtime
from circuitz.patching.from_cut import class_margins


def test_a_z_loses_what_its_units_say(world) -> None:
    z = world.z()
    table = cz.ablate(z, images=12)
    assert len(table) == 4 * 3
    assert (table["n"] == 12).all()
    assert set(table["method"]) == {"exact"}
    assert (table["low"] <= table["effect"]).all()
    assert (table["effect"] <= table["high"]).all()
    assert table["effect"].abs().is_monotonic_decreasing
    # Known from the wiring: mean of the unit's map, times the slope of the margin.
    rows = np.sort(np.random.default_rng(0).permutation(np.flatnonzero(z.data.split == 1))[:12])
    means = world.unit_means(z.data.images[rows]).mean(0)
    slopes = world.margin_slopes()
    for row in table.itertuples():
        k = world.classes.index(row.target)
        assert row.effect == pytest.approx(slopes[k, row.index] * means[row.index], abs=1e-5)


def test_snow_is_what_husky_rests_on(world) -> None:
    z = world.z()
    table = cz.ablate(z, z.data.images[z.data.labels == 0], classes=["husky"])
    assert table.iloc[0][["unit", "target"]].tolist() == ["colour:2", "husky"]
    assert set(table["target"]) == {"husky"}


def test_layers_that_z_does_not_list_and_other_fills(world) -> None:
    z = world.z()
    first = cz.ablate(z, layers=["colour.0", "colour"], fill="mean", images=9)
    assert set(first["layer"]) == {"colour.0", "colour"}
    one, two = (cz.ablate(z, fill="resample", images=9, seed=s) for s in (1, 1))
    assert one.equals(two)


def test_a_shortlist_says_what_is_exact(world) -> None:
    z = world.z(world.bent)
    table = cz.ablate(z, layers=["colour", "bend"], shortlist=0.4, images=9)
    assert len(table) == (4 + 5) * 3
    exact = table[table["method"] == "exact"]
    assert len(exact) == 4 * 3
    assert exact["low"].notna().all()
    assert table[table["method"] == "estimated"]["low"].isna().all()
    every = cz.ablate(z, layers=["colour", "bend"], images=9).set_index(["unit", "target"])
    both = exact.set_index(["unit", "target"])
    np.testing.assert_allclose(both["effect"], every.loc[both.index, "effect"], atol=1e-6)


def test_scenes_are_clusters(world) -> None:
    data = world.data()
    same = world.z(data=world.data(scene=np.zeros(len(data), np.int64)))
    table = cz.ablate(same, images=9)
    assert (table["clusters"] == 1).all()
    assert np.isinf(table["high"]).all()


def test_any_module(threads) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 5))  # fmt: skip
    x = torch.randn(3, 1, 9, 14)
    table = cz.ablate(net, x)
    assert set(table["layer"]) == {"0", "4"}
    assert set(table["target"]) == set("01234")
    found = table[(table["unit"] == "0:2") & (table["target"] == "3")]["effect"].item()
    patched = net[0](x).clone()
    patched[:, 2] = 0
    drop = class_margins(net(x))[:, 3] - class_margins(net[1:](patched))[:, 3]
    assert found == pytest.approx(drop.mean().item(), abs=1e-6)
    assert set(cz.ablate(net, x, classes=["1"])["target"]) == {"1"}


def test_images_of_ones_own(world) -> None:
    z = world.z()
    images = z.data.images[:6]
    table = cz.ablate(z, images)
    run = runtime(z)
    drop = next(run_ablation(run, run.prepare(images), ["colour"])).drop
    by_hand = class_margins(torch.from_numpy(drop.mean(0))).numpy()
    for row in table.itertuples():
        assert row.effect == pytest.approx(
            by_hand[row.index, world.classes.index(row.target)], abs=1e-5
        )
    assert cz.ablate(z, run.prepare(images)).equals(table)


@pytest.mark.parametrize(
    ("how", "error", "says"),
    [
        ({"classes": ["wolf"]}, UnitError, "'wolf' is not a class"),
        ({"layers": ["tail"]}, LayerError, "no layer 'tail'"),
        ({"split": "train"}, InputsError, "no split 'train'"),
        ({"fill": "noise"}, InputsError, "no fill 'noise'"),
        ({"fill": "mean", "shortlist": 0.1}, InputsError, "zeroed units"),
        ({"shortlist": 3.0}, InputsError, "share of 3.0"),
        ({"shortlist": 0.1, "cluster": "tcp://nobody:1"}, InputsError, "not shared or kept"),
        ({"shortlist": 0.1, "checkpoint": Path("nowhere")}, InputsError, "not shared or kept"),
        ({"images": 1, "fill": "resample"}, InputsError, "no other"),
        ({"images": 0}, InputsError, "no inputs"),
    ],
)
def test_what_does_not_fit_is_named(world, how, error, says) -> None:
    with pytest.raises(error, match=says):
        cz.ablate(world.z(), **how)


def test_nothing_to_ablate_on(world) -> None:
    with pytest.raises(InputsError, match="not at hand"):
        cz.ablate(world.z(data=None))
    with pytest.raises(InputsError, match="no images"):
        cz.ablate(nn.Linear(2, 2))


def test_a_network_of_one_logit_tells_two_classes() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 5), nn.ReLU(), nn.Linear(5, 1)).eval()
    x = torch.randn(6, 3, 2, 2)
    table = cz.ablate(net, x, layers=["1"]).set_index(["unit", "target"])["effect"]
    with torch.no_grad():
        hidden = torch.relu(net[1](net[0](x)))
        # Without a unit its bias goes too, and what is left of it is relu(0) = 0.
        lost = (hidden * net[3].weight[0]).mean(0)
    for unit in range(5):
        assert table[f"1:{unit}", "1"] == pytest.approx(float(lost[unit]), abs=1e-6)
        assert table[f"1:{unit}", "0"] == pytest.approx(-float(lost[unit]), abs=1e-6)


def test_layers_that_cannot_be_ablated_are_left_out_of_those_taken_by_default() -> None:
    class Shares(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.shared = nn.Linear(4, 4), nn.Linear(4, 4)
            self.unused, self.last = nn.Linear(4, 4), nn.Linear(4, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.last(self.shared(torch.relu(self.shared(self.first(x)))))

    net, x = Shares().eval(), torch.randn(3, 4)
    assert set(cz.ablate(net, x)["layer"]) == {"first", "last"}
    assert set(cz.ablate(net, x, layers="first")["layer"]) == {"first"}
    for name in ("shared", "unused"):
        with pytest.raises(LayerError, match="called"):
            cz.ablate(net, x, layers=[name])
    attends = nn.TransformerEncoderLayer(4, 2, 8, batch_first=True)
    whole = nn.Sequential(attends, nn.Flatten(), nn.Linear(12, 2)).eval()
    layers = set(cz.ablate(whole, torch.randn(2, 3, 4))["layer"])
    assert {"0.linear1", "0.linear2", "2"} <= layers
    assert "0.self_attn.out_proj" not in layers


def test_no_layers_no_network_and_no_numbers_are_named(world) -> None:
    net, x = nn.Sequential(nn.Flatten(), nn.Linear(12, 2)), torch.randn(2, 3, 2, 2)
    with pytest.raises(LayerError, match="no layer to ablate"):
        cz.ablate(net, x, layers=[])
    with pytest.raises(InputsError, match="NaN"):
        cz.ablate(net, x * float("nan"))
    with pytest.raises(InputsError, match="function is no annotated model"):
        cz.ablate(lambda x: x, x)  # pyright: ignore[reportArgumentType]


def test_a_plain_network_of_several_outputs_is_read_at_its_logits() -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.head = nn.Linear(4, 5), nn.Linear(5, 3)

        def forward(self, x):
            f = self.body(x)
            return f, self.head(f)

    torch.manual_seed(0)
    net, x = Two(), torch.randn(6, 4)
    with pytest.warns(NetworkWarning, match="'1' is read as its logits"):
        found = cz.ablate(net, x, layers=["body"])
    plain = nn.Sequential(net.body, net.head)
    right = cz.ablate(plain, x, layers=["0"])
    assert sorted(found.target.unique()) == ["0", "1", "2"]
    np.testing.assert_allclose(found.effect, right.effect, atol=1e-6)
    with pytest.warns(NetworkWarning, match="as was asked"):
        assert len(cz.ablate(net, x, layers=["body"], output=0).target.unique()) == 5
    with pytest.raises(ProbabilitiesError):
        cz.ablate(nn.Sequential(plain, nn.Softmax(1)), x)
