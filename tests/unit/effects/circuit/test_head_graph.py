"""Circuits of attention heads, against path patching by hooks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import make_repeating_sequences
from circuitz.effects.circuit.graph import graph
from circuitz.effects.circuit.head_graph import exchange_each_sender
from circuitz.effects.circuit.head_pairs import HookedModel
from circuitz.effects.unit_effect import effect
from circuitz.errors import GraphError, LayerError, UnitError
from circuitz.models.run.runtime import Runtime
from circuitz.models.zoo.small_transformer import SmallTransformer
from circuitz.wrapping.wrap import wrap
from circuitz.z.circuit.attribution_graph import graph_from_json_text
from circuitz.z.circuit.circuit_graph import INPUT, CircuitGraph
from circuitz.z.layer import LayerSpec, Preprocessing
from circuitz.z.model import AnnotatedModel

FEW: dict[str, Any] = {"images": 96, "resamples": 30}
LAYERS = ("blocks.0.attn.hook_z", "blocks.1.attn.hook_z")


def _kept(net: SmallTransformer, tokens: torch.Tensor) -> list[torch.Tensor]:
    """What the heads of every block put out, by hooks."""
    seen: list[torch.Tensor] = []
    hooks = [
        b.attn.hook_z.register_forward_hook(lambda _m, _a, out: seen.append(out.clone()))
        for b in net.layers
    ]
    net(tokens)
    for hook in hooks:
        hook.remove()
    return seen


def _with_heads(net: SmallTransformer, tokens: torch.Tensor, fixed: dict[int, Any]) -> torch.Tensor:
    """Logits while the heads of some blocks are put by a function of what they are."""

    def put(change: Any) -> Any:
        return lambda _m, _a, out: change(out)

    hooks = [
        net.layers[i].attn.hook_z.register_forward_hook(put(change)) for i, change in fixed.items()
    ]
    logits = net(tokens)
    for hook in hooks:
        hook.remove()
    return logits


def _plain(
    net: SmallTransformer,
    base: torch.Tensor,
    own: torch.Tensor,
    other: torch.Tensor,
    sender: tuple[int, int] | None,
    receiver: tuple[int, int] | None,
) -> torch.Tensor:
    """Logits on ``base`` with the receiver fed by ``own``, one sender of which is from ``other``."""
    mine, theirs = _kept(net, own), _kept(net, other)
    upto = len(net.layers) if receiver is None else receiver[0]

    def frozen(i: int) -> Any:
        z = mine[i].clone()
        if sender is not None and sender[0] == i:
            z[:, :, sender[1]] = theirs[i][:, :, sender[1]]
        return lambda _out: z

    caught: dict[str, torch.Tensor] = {}

    def catch(out: torch.Tensor) -> torch.Tensor:
        caught["z"] = out.clone()
        return out

    changes = {i: frozen(i) for i in range(upto)}
    if receiver is not None:
        changes[receiver[0]] = catch
    logits = _with_heads(net, other if sender is None else own, changes)
    if receiver is None:
        return logits
    block, head = receiver

    def put(out: torch.Tensor) -> torch.Tensor:
        made = out.clone()
        made[:, :, head] = caught["z"][:, :, head]
        return made

    return _with_heads(net, base, {block: put})


def _margin(logits: torch.Tensor, k: int) -> torch.Tensor:
    others = [j for j in range(logits.shape[1]) if j != k]
    return logits[:, k] - logits[:, others].mean(1)


@pytest.mark.parametrize("how", [{}, {"neurons": 12, "eps": 1e-5}])
def test_every_edge_equals_hooks(how: dict[str, Any]) -> None:
    torch.manual_seed(0)
    net = SmallTransformer(9, 7, layers=3, heads=2, width=8, **how).eval()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    tokens, lent = torch.randint(0, 9, (2, 6, 7))
    senders: list[tuple[int, int] | None] = [(i, h) for i in range(3) for h in range(2)]
    with torch.no_grad():
        own = _margin(net(tokens), 4)
        for block in (1, 2, None):
            heads = np.zeros(1, np.int64) if block is None else np.arange(2)
            found = exchange_each_sender(net, tokens, lent, 4, block, heads)
            upto = 3 if block is None else block
            mine = [*senders[: 2 * upto], None]
            assert found.change.shape == (6, len(mine), len(heads))
            for v, g in enumerate(heads):
                receiver = None if block is None else (block, int(g))
                if receiver is None:
                    every = net(lent)
                else:
                    z = _kept(net, lent)[block]

                    def put(out: torch.Tensor, z: Any = z, g: Any = g) -> torch.Tensor:
                        made = out.clone()
                        made[:, :, g] = z[:, :, g]
                        return made

                    every = _with_heads(net, tokens, {block: put})
                whole = _margin(every, 4) - own
                assert np.abs(found.whole[:, v] - whole.numpy()).max() < 2e-5
                for s, sender in enumerate(mine):
                    first = _margin(_plain(net, tokens, tokens, lent, sender, receiver), 4) - own
                    rest = _margin(_plain(net, tokens, lent, tokens, sender, receiver), 4) - own
                    plain = (first + whole - rest) / 2
                    assert np.abs(found.change[:, s, v] - plain.numpy()).max() < 2e-5
            assert np.abs(found.change).max() > 0.02


@pytest.mark.parametrize("how", [{}, {"neurons": 12, "eps": 1e-5}])
def test_any_model_by_hooks_has_the_same_numbers(how: dict[str, Any]) -> None:
    torch.manual_seed(2)
    net = SmallTransformer(9, 7, layers=3, heads=2, width=8, **how).eval()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    names = [f"blocks.{i}.attn.hook_z" for i in range(3)]
    specs = tuple(LayerSpec(n, 2, unit_axis=2, token_axes=(1,), shape=(7, 2, 4)) for n in names)
    model = HookedModel(Runtime(net, names, Preprocessing.for_token_sequences(7)), specs)
    tokens, lent = torch.randint(0, 9, (2, 5, 7))
    for block, heads in ((1, [0, 1]), (2, [1]), (None, [0])):
        which = np.array(heads)
        fast = exchange_each_sender(net, tokens, lent, 3, block, which)
        slow = exchange_each_sender(model, tokens, lent, 3, block, which)
        assert np.abs(fast.change - slow.change).max() < 2e-5
        assert np.abs(fast.whole - slow.whole).max() < 2e-5
    assert not any(m._forward_hooks for m in net.modules())


@pytest.fixture(scope="module")
def z() -> AnnotatedModel:
    return wrap(
        load_shipped_induction_model("induction"),
        make_repeating_sequences(1200),
        subject="letter",
        name="induction",
    )


@pytest.fixture(scope="module")
def circuit(z: AnnotatedModel) -> CircuitGraph:
    return graph(z, z.classes[0], **FEW)


def test_induction_heads_drive_the_class_and_early_heads_drive_them(
    z: AnnotatedModel, circuit: CircuitGraph
) -> None:
    assert circuit.layers == LAYERS
    kinds = {n.kind for n in circuit.nodes}
    assert kinds == {"unit", "class", "unexplained", "input"}
    direct = {e.source: e.share for e in circuit.edges if e.target == f"output:{z.classes[0]}"}
    late = sum(v for k, v in direct.items() if k.startswith(LAYERS[1]))
    early = sum(v for k, v in direct.items() if k.startswith(LAYERS[0]))
    assert late > 0.8
    assert abs(early) < 0.1
    within = [e for e in circuit.edges if e.target.startswith(LAYERS[1])]
    assert {e.source.partition(":")[0] for e in within} >= {LAYERS[0], INPUT}
    assert circuit.node(INPUT).rank == 0
    assert circuit.counts["units"] == 8
    assert circuit.counts["images"] > 60
    assert circuit.stability["exact"] is not None
    assert circuit.stability["eap_ig"] is None
    flow = circuit.node("unexplained").influence
    assert flow == pytest.approx(1 - circuit.scores["replacement"], abs=1e-6)


def test_scores_are_those_of_its_heads_together(z: AnnotatedModel, circuit: CircuitGraph) -> None:
    heads = [n.id for n in circuit.nodes if n.kind == "unit"]
    alone = effect(z, heads, z.classes[0], images=96)
    assert circuit.scores["recovered"] == alone.estimate
    assert "rest" not in circuit.scores


def test_words_json_and_figure(z: AnnotatedModel, circuit: CircuitGraph) -> None:
    head = next(n.id for n in circuit.nodes if n.layer == LAYERS[1])
    named = z.annotate(head, "induction head").with_graph(circuit)
    kept = named.graph(z.classes[0])
    assert kept.node(head).words == "induction head"
    assert graph_from_json_text(kept.to_json()) == kept
    assert len(kept.figure().data[-1].x) == len(kept.collapse_supernodes().nodes)
    assert kept.networkx().nodes[INPUT]["kind"] == "input"


def test_progress_and_the_same_again(z: AnnotatedModel, circuit: CircuitGraph) -> None:
    seen: list[tuple[int, int]] = []
    again = graph(z, z.classes[0], progress=lambda done, n: seen.append((done, n)), **FEW)
    assert again == circuit
    assert seen == sorted(seen)
    assert seen[-1][0] == seen[-1][1]


def test_wrong_questions(z: AnnotatedModel) -> None:
    with pytest.raises(UnitError, match="not a class"):
        graph(z, "none", **FEW)
    with pytest.raises(GraphError, match="between heads"):
        graph(z, z.classes[0], bases=["blocks.0.attn.hook_z@nmf"], **FEW)
    with pytest.raises(LayerError, match="all heads"):
        graph(z.with_(cut=LAYERS[:1]), z.classes[0], **FEW)
