"""Effects along directions, and what tells an illusion."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from circuitz.effects.direction_effect import direction_effect
from circuitz.effects.unit_effect import effect
from circuitz.errors import InputsError, UnitError
from circuitz.models.adapters.weight_arrays import weights_to_numpy
from circuitz.models.run.basis import Basis
from circuitz.models.run.layer_specs import describe_layers
from circuitz.z.bases import arrays_with_basis_replaced

from .conftest import Wired, make_z, trained_bent


def with_rows(z, rows, name="mine", layer="colour"):
    return z.with_(
        bases=arrays_with_basis_replaced(
            z.bases, f"{layer}@{name}", Basis.from_rows(rows).to_arrays()
        )
    )


@pytest.mark.parametrize("net", [Wired, trained_bent])
@pytest.mark.parametrize("how", ["sufficiency", "necessity"])
def test_a_neuron_is_a_direction_and_has_the_same_effect(net, how):
    z = make_z(net())
    whole = with_rows(z, np.eye(4))
    for unit in range(3):
        plain = effect(z, f"colour:{unit}", "husky", intervention=how)
        along = direction_effect(whole, f"colour@mine:{unit}", "husky", intervention=how, randoms=2)
        assert along.effect.estimate == pytest.approx(plain.estimate, abs=1e-4)
        assert (along.effect.n, along.effect.low) == (plain.n, pytest.approx(plain.low, abs=1e-4))
        own = direction_effect(z, f"colour:{unit}", "husky", intervention=how, randoms=0)
        assert own.effect.estimate == pytest.approx(plain.estimate, abs=1e-4)


def test_ablate_and_clamp_are_what_they_say():
    z = with_rows(make_z(), [[0, 0, 2.0, 0]])
    gone = direction_effect(z, "colour@mine:0", "husky", intervention="ablate", randoms=0).effect
    same = direction_effect(
        z, "colour@mine:0", "husky", intervention="clamp", value=0.0, randoms=0
    ).effect
    more = direction_effect(
        z, "colour@mine:0", "husky", intervention="clamp", value=3.0, randoms=0
    ).effect
    assert gone.estimate == same.estimate > 0.5
    assert more.estimate < 0
    assert gone.intervention == "ablate"


def test_what_nothing_reads_does_not_count():
    # The head reads no unit but the first three, and margins only differences of them.
    z = with_rows(make_z(), [[0, 0, 1.0, 4.0], [0, 0, 0, 1.0], [0, 0, 1.0, 0]])
    mixed = direction_effect(z, "colour@mine:0", "husky", randoms=8)
    assert mixed.null_share > 0.9
    assert mixed.survives == pytest.approx(1, abs=1e-3)
    idle = direction_effect(z, "colour@mine:1", "husky", intervention="clamp", value=1.0, randoms=8)
    assert idle.effect.estimate == pytest.approx(0, abs=1e-6)
    assert len(mixed.random) == 8
    assert "survives" in str(mixed)


class Dormant(nn.Module):
    """The third unit is off on all inputs, and only a jump along it wakes what reads it."""

    def __init__(self):
        super().__init__()
        self.colour = nn.Conv2d(3, 4, 1)
        self.wake = nn.Conv2d(4, 4, 1)
        self.head = nn.Linear(4, 3)
        with torch.no_grad():
            for layer in (self.colour, self.wake, self.head):
                layer.weight.zero_()
                layer.bias.zero_()
            self.colour.weight[:3, :, 0, 0] = torch.eye(3)
            self.wake.weight[:, :, 0, 0] = torch.eye(4)
            self.wake.bias[3] = -0.02
            self.head.weight.copy_(torch.tensor([[-1.0, 1, 4, 9], [3, -2, 0, 0], [1, 2, -1, 0]]))

    def forward(self, x):
        return self.head(torch.relu(self.wake(self.colour(x))).mean((2, 3)))


def test_an_effect_through_a_dormant_pathway_does_not_survive():
    net = Dormant()
    z = make_z(
        net,
        layers=describe_layers(net, ["colour"], torch.rand(1, 3, 8, 8)),
        weights=weights_to_numpy(net),
    )
    # A direction of two units that both follow the snow: one is read, the other is dormant.
    z = with_rows(z, [[0, 0, 1.0, 3.0]])
    found = direction_effect(z, "colour@mine:0", "husky", randoms=4)
    assert found.effect.estimate > 0.2
    assert found.survives < 0.4
    assert found.null_share == pytest.approx(0.9, abs=0.02)


def test_named_errors():
    z = with_rows(make_z(), np.eye(4)[:2])
    with pytest.raises(UnitError, match="2 units"):
        direction_effect(z, "colour@mine:2", "husky")
    with pytest.raises(UnitError, match="colour@other"):
        direction_effect(z, "colour@other:0", "husky")
    with pytest.raises(UnitError, match="fox"):
        direction_effect(z, "colour@mine:0", "fox")
    with pytest.raises(InputsError, match="clamp"):
        direction_effect(z, "colour@mine:0", "husky", intervention="clamp")
    with pytest.raises(InputsError, match="not at hand"):
        direction_effect(z.with_(data=None), "colour@mine:0", "husky")
