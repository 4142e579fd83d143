"""Effects through and around units, beside forward passes written out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import circuitz as cz
from circuitz.effects.mediation import change_parts_by_path
from circuitz.effects.path_effect import path_effect
from circuitz.errors import InputsError, LayerError, UnitError
from circuitz.models.run.layer_specs import describe_layers
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.patching.patch import UnitSet
from circuitz.z.layer import LayerSpec, Preprocessing

PREP = Preprocessing((0.0,) * 3, (1.0,) * 3, (6, 6))
FEW = {"images": 15, "seed": 1}


class Plain(nn.Module):
    """Three bent layers, one after the other; with a skip from the first to behind the third."""

    def __init__(self, skip: bool, traceable: bool = True):
        super().__init__()
        torch.manual_seed(0)
        self.a = nn.Conv2d(3, 4, 3, padding=1)
        self.b = nn.Conv2d(4, 5, 3, padding=1)
        self.c = nn.Conv2d(5, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.head = nn.Linear(4, 3)
        self.skip, self.traceable = skip, traceable

    def by_hand(self, x, at=None, bt=None, ct=None):
        """Logits with outputs of layers replaced, and what the layers then put out."""
        a = self.a(x) if at is None else at
        b = self.b(torch.tanh(a)) if bt is None else bt(self.b(torch.tanh(a)))
        c = self.c(torch.tanh(b)) if ct is None else ct(self.c(torch.tanh(b)))
        y = torch.relu(c) + (a if self.skip else 0)
        return self.head(y.mean((2, 3))), a, b, c

    def forward(self, x):
        a = self.a(x)
        c = self.c(torch.tanh(self.b(torch.tanh(a))))
        y = self.act(c)
        if self.skip:
            y = y + a
        if not self.traceable and float(y.sum()) > 1e9:
            y = -y
        return self.head(y.mean((2, 3)))


def ready(net):
    specs = {s.name: s for s in describe_layers(net, ["a", "b", "c"], torch.rand(1, 3, 6, 6))}
    draw = torch.Generator().manual_seed(3)
    x, lent = (torch.rand((6, 3, 6, 6), generator=draw) for _ in range(2))
    return Runtime(net, list(specs), PREP), specs, x, lent


def first(logits):
    return logits[:, 0]


def units(specs, *names):
    return UnitSet(names, specs)


def keeping(at, value):
    """Put some channels of a layer at what they are in ``value``."""

    def put(out):
        out = out.clone()
        out[:, at] = value[:, at]
        return out

    return put


@pytest.mark.parametrize("skip", [False, True])
@pytest.mark.parametrize("traceable", [False, True])
def test_four_parts_are_forward_passes_written_out(skip, traceable):
    net = Plain(skip, traceable)
    run, specs, x, lent = ready(net)
    found = change_parts_by_path(
        run, x, lent, units(specs, "a:1", "a:2"), units(specs, "b:0", "b:3"), first
    )
    with torch.no_grad():
        before, a, b, _ = net.by_hand(x)
        changed = a.clone()
        changed[:, [1, 2]] = net.a(lent)[:, [1, 2]]
        total, _, moved, _ = net.by_hand(x, changed)
        through = net.by_hand(x, bt=keeping([0, 3], moved))[0]
        around = net.by_hand(x, changed, bt=keeping([0, 3], b))[0]
    for part, known in zip(found, (total, through, around), strict=False):
        assert np.abs(part - (known - before)[:, 0].numpy()).max() < 1e-6
        assert np.abs(part).max() > 1e-3
    assert np.abs(found[0] - found[1:].sum(0)).max() < 1e-6
    assert not any(m._forward_hooks for m in net.modules())


def test_held_units_close_paths_and_direct_closes_them_up_to_the_mediators():
    net = Plain(skip=True)
    run, specs, x, lent = ready(net)
    source, via = units(specs, "a:0"), units(specs, "c:2")
    with torch.no_grad():
        before, a, b, c = net.by_hand(x)
        changed = a.clone()
        changed[:, 0] = net.a(lent)[:, 0]
        held = net.by_hand(x, changed, bt=keeping([1, 2], b))
        total = held[0]
        around = net.by_hand(x, changed, bt=keeping([1, 2], b), ct=keeping([2], c))[0]
        through = net.by_hand(x, bt=keeping([1, 2], b), ct=keeping([2], held[3]))[0]
    found = change_parts_by_path(run, x, lent, source, via, first, held=units(specs, "b:1", "b:2"))
    for part, known in zip(found, (total, through, around), strict=False):
        assert np.abs(part - (known - before)[:, 0].numpy()).max() < 1e-6
    # Through b alone does a reach c: with b quiet nothing goes straight, and all is around or rest.
    every = UnitSet([f"b:{u}" for u in range(5)], specs)
    free = change_parts_by_path(run, x, lent, source, via, first)
    direct = change_parts_by_path(run, x, lent, source, via, first, quiet=every)
    assert not direct[1].any()
    assert np.array_equal(direct[[0, 2]], free[[0, 2]])
    assert np.abs(direct[3] - free[3] - free[1]).max() < 1e-6
    assert free[1].any()


def test_all_units_of_a_layer_all_paths_cross_leave_nothing_around():
    run, specs, x, lent = ready(Plain(skip=False))
    every = UnitSet([f"b:{u}" for u in range(5)], specs)
    found = change_parts_by_path(run, x, lent, units(specs, "a:0", "a:3"), every, first)
    assert np.abs(found[2]).max() < 1e-6
    assert np.abs(found[0] - found[1]).max() < 1e-6
    skipping = ready(Plain(skip=True))[0]
    crossed = change_parts_by_path(skipping, x, lent, units(specs, "a:0"), every, first)
    assert np.abs(crossed[2]).max() > 1e-3, "the skip runs around"


def test_heads_of_a_transformer_at_a_position_beside_its_equations():
    torch.manual_seed(0)
    net = SmallTransformer(7, 5, layers=3, heads=2, width=8, neurons=6, eps=1e-5, outputs=3).eval()
    specs = {
        f"blocks.{i}.attn.hook_z": LayerSpec(
            f"blocks.{i}.attn.hook_z", 2, unit_axis=2, token_axes=(1,), shape=(5, 2, 4)
        )
        for i in range(3)
    }
    run = Runtime(net, list(specs), Preprocessing.for_token_sequences(5))
    x, lent = torch.randint(0, 7, (2, 4, 5))
    source = UnitSet(["blocks.0.attn.hook_z:1@pos2"], specs)
    via = UnitSet(["blocks.2.attn.hook_z:0"], specs)
    others = UnitSet([f"{n}:{h}" for n in specs for h in range(2)], specs, excluding=via)

    def by_hand(tokens, writes):
        """Each block by its parts, with heads' outputs written; logits and all heads' outputs."""
        stream, seen = net.embed_tokens(tokens), []
        for i, block in enumerate(net.layers):
            attn, normed = block.attn, block.ln1(stream)
            query = attn.split_heads(attn.q(normed))
            _, z = attn.attend(query, attn.keys_and_values(normed), torch.arange(5))
            for at, value in writes.get(i, ()):
                z = z.clone()
                z[at] = value[at]
            seen.append(z)
            stream = block.add_neurons(stream + attn.o(z.flatten(-2)))
        return net.unembed(net.ln_final(stream[:, -1])), seen

    here, there, all_of_it = np.s_[:, 2, 1], np.s_[:, :, 0], np.s_[:]
    with torch.no_grad():
        before, z = by_hand(x, {})
        change = {0: [(here, by_hand(lent, {})[1][0])]}
        total, moved = by_hand(x, change)
        # Path patching: every other head stays what it was while the receiver hears the sender.
        quiet = {0: [(all_of_it, z[0]), *change[0]], 1: [(all_of_it, z[1])]}
        _, heard = by_hand(x, quiet)
        known = [
            total,
            by_hand(x, {2: [(there, moved[2])]})[0],
            by_hand(x, change | {2: [(there, z[2])]})[0],
        ]
        straight = by_hand(x, {2: [(there, heard[2])]})[0]
    free = change_parts_by_path(run, x, lent, source, via, first)
    direct = change_parts_by_path(run, x, lent, source, via, first, quiet=others)
    for part, out in zip(free, known, strict=False):
        assert np.abs(part - (out - before)[:, 0].numpy()).max() < 1e-5
    assert np.abs(direct[1] - (straight - before)[:, 0].numpy()).max() < 1e-5
    assert np.abs(direct[1] - free[1]).max() > 1e-4


@pytest.mark.parametrize("how", ["sufficiency", "necessity"])
def test_the_total_is_the_effect_and_the_parts_add_up(deep, how):
    found = path_effect(deep, "colour:2", "husky", "mixed", intervention=how, images=60)
    total = cz.effect(
        deep.with_(cut=("colour",)), "colour:2", "output:husky", intervention=how, images=60
    )
    assert found.total.estimate == pytest.approx(total.estimate, abs=1e-5)
    assert (found.total.low, found.total.high) == pytest.approx((total.low, total.high), abs=1e-5)
    assert found.around.estimate == pytest.approx(0, abs=1e-6)
    assert found.through.estimate == pytest.approx(found.total.estimate, abs=1e-6)
    frame = found.frame.set_index("path")["effect"]
    assert frame["total"] == pytest.approx(frame[["through", "around", "rest"]].sum(), abs=1e-6)
    one = path_effect(deep, "colour:2", "husky", "mixed:0", intervention=how, images=60)
    # Blue makes mixed:0 and mixed:3; the latter drives nothing.
    assert one.through.estimate == pytest.approx(one.total.estimate, abs=1e-6)
    other = path_effect(deep, "colour:2", "husky", "mixed:3", intervention=how, images=60)
    assert other.through.estimate == pytest.approx(0, abs=1e-6)
    assert other.around.estimate == pytest.approx(other.total.estimate, abs=1e-6)
    closed = path_effect(
        deep, "colour:2", "husky", "mixed:3", held="mixed:0", intervention=how, images=60
    )
    assert closed.total.estimate == pytest.approx(0, abs=1e-6)
    assert closed.total.held == "mixed:0"


def test_what_it_says_about_itself(deep):
    told = []
    found = cz.path_effect(
        deep, ["colour:0", "colour:1"], "poodle", "mixed:1", progress=lambda d, n: told.append((d, n)),
        **FEW,
    )  # fmt: skip
    assert told[-1] == (20, 20)
    assert found.mediators == ("mixed:1",)
    assert found.through.low <= found.through.estimate <= found.through.high
    assert found.total.n == 10
    assert "by way of mixed:1" in str(found)


@pytest.mark.parametrize(
    ("wrong", "error", "said"),
    [
        ({"through": ()}, UnitError, "no mediators"),
        ({"units": []}, UnitError, "no sources"),
        ({"through": "colour:2"}, UnitError, "in two of"),
        ({"held": "mixed"}, UnitError, "in two of"),
        ({"through": "mixed:9"}, UnitError, "mixed:0 to mixed:3"),
        ({"through": "output:husky"}, UnitError, "cannot be put"),
        ({"units": "mixed:1", "through": "colour:1"}, LayerError, "does not come after"),
        ({"units": "colour:1", "through": "colour:2"}, LayerError, "does not come after"),
        ({"target": "cat"}, UnitError, "not a class"),
        ({"intervention": "resample"}, InputsError, "sufficiency or necessity"),
        ({"split": "train"}, InputsError, "no split"),
    ],
)
def test_wrong_questions(deep, wrong, error, said):
    asked = {"units": "colour:2", "target": "husky", "through": "mixed:0", **FEW} | wrong
    with pytest.raises(error) as caught:
        path_effect(deep, **asked)
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_without_d(deep):
    with pytest.raises(InputsError, match="not at hand"):
        path_effect(deep.with_(data=None), "colour:2", "husky", "mixed:0")
