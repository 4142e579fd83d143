from __future__ import annotations

from typing import Any

import pytest
import torch

from circuitz.data.text.induction_model import load_shipped_induction_model
from circuitz.data.text.repeating_sequences import make_repeating_sequences
from circuitz.effects.edge.head_paths import measure_head_edges
from circuitz.errors import InterventionError
from circuitz.models.zoo.small_transformer import SmallTransformer


def _plain(
    net: SmallTransformer,
    tokens: torch.Tensor,
    lent: torch.Tensor,
    edge: tuple[int, int, int, int],
    part: str,
) -> torch.Tensor:
    """One edge by hooks: the receiver's slice of its q, k or v reads the exchanged stream."""
    i, h, j, g = edge
    seen: dict[str, torch.Tensor] = {}

    def keep(name: str) -> Any:
        return lambda _m, _a, out: seen.update({name: out.clone()})

    sender, block = net.layers[i].attn, net.layers[j]
    before = net.layers[j - 1].hook_resid_post
    for run, given in (("base", tokens), ("lent", lent)):
        hooks = [
            sender.hook_z.register_forward_hook(keep(f"z {run}")),
            before.register_forward_hook(keep(f"stream {run}")),
        ]
        net(given)
        for hook in hooks:
            hook.remove()
    width = sender.head_width
    rows = slice(h * width, (h + 1) * width)
    change = (seen["z lent"] - seen["z base"])[:, :, h] @ sender.o.weight[:, rows].T
    module = {"query": block.attn.q, "key": block.attn.k, "value": block.attn.v}[part]
    new = module(block.ln1(seen["stream base"] + change))
    cols = slice(g * width, (g + 1) * width)

    def put(_m: Any, _a: Any, out: torch.Tensor) -> torch.Tensor:
        made = out.clone()
        made[..., cols] = new[..., cols]
        return made

    hook = module.register_forward_hook(put)
    logits = net(tokens)
    hook.remove()
    return logits


@pytest.mark.parametrize("how", [{}, {"neurons": 12, "eps": 1e-5}])
def test_every_edge_equals_hooks(how: dict[str, Any]) -> None:
    torch.manual_seed(0)
    net = SmallTransformer(9, 7, layers=3, heads=2, width=8, **how).eval()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.4)
    tokens, lent = torch.randint(0, 9, (2, 6, 7))
    target = torch.arange(6)
    found = measure_head_edges(net, tokens, lent, target)
    assert len(found) == (2 * 2 + 2 * 4) * 3
    with torch.no_grad():
        whole = net(tokens)
        for edge in ((0, 1, 1, 0), (0, 0, 2, 1), (1, 1, 2, 1)):
            i, h, j, g = edge
            for part in ("query", "key", "value"):
                plain = _plain(net, tokens, lent, edge, part) - whole
                own = plain.gather(1, target[:, None])[:, 0]
                loss = -(own - (plain.sum(1) - own) / 8).mean()
                row = found[
                    (found.sender == f"blocks.{i}.attn.hook_z:{h}")
                    & (found.receiver == f"blocks.{j}.attn.hook_z:{g}")
                    & (found.part == part)
                ]
                assert row.effect.item() == pytest.approx(loss.item(), abs=2e-5)


def test_induction_runs_through_keys_and_the_fixed_shortcut_does_not() -> None:
    sums = {}
    for name, periods in (("induction", (5, 14)), ("fixed", (12, 12))):
        made = make_repeating_sequences(120, periods=periods)
        assert made.labels is not None
        tokens = torch.from_numpy(made.images).long()
        target = torch.from_numpy(made.labels)[:60]
        found = measure_head_edges(
            load_shipped_induction_model(name), tokens[:60], tokens[60:], target
        )
        sums[name] = found.groupby("part").effect.sum()
    assert sums["induction"]["key"] > 10 * abs(sums["induction"]["value"])
    assert sums["fixed"]["key"] < sums["fixed"]["value"] / 3


def test_what_does_not_fit_is_named() -> None:
    net = load_shipped_induction_model("induction")
    tokens = torch.zeros(3, 32, dtype=torch.long)
    with pytest.raises(InterventionError):
        measure_head_edges(net, tokens, tokens[:2], torch.zeros(3, dtype=torch.long))
    with pytest.raises(InterventionError):
        measure_head_edges(net, tokens, tokens, torch.zeros(3, dtype=torch.long), parts=["mind"])  # pyright: ignore[reportArgumentType]
