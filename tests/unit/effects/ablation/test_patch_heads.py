from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from circuitz.effects.ablation.patch_heads import patch_heads
from circuitz.errors import InterventionError
from circuitz.models.zoo.small_transformer import SmallTransformer

Metric = Callable[[torch.Tensor], torch.Tensor]


def _net(**how: Any) -> SmallTransformer:
    torch.manual_seed(0)
    net = SmallTransformer(11, 9, **how).eval()
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.3)
    return net


def _one_by_one(
    net: SmallTransformer, tokens: torch.Tensor, lent: torch.Tensor, metric: Metric, at: slice
) -> np.ndarray:
    """The plain way: a hook and a whole run for every head and position."""
    kept: list[torch.Tensor] = []
    hooks = [
        block.attn.hook_z.register_forward_hook(lambda _m, _a, out: kept.append(out.clone()))
        for block in net.layers
    ]
    net.logits_everywhere(lent)
    for hook in hooks:
        hook.remove()
    heads = net.layers[0].attn.heads
    found = np.zeros((len(kept), tokens.shape[1], heads, len(tokens)), np.float32)
    for layer, position, head in np.ndindex(*found.shape[:3]):

        def put(
            _m: Any, _a: Any, out: torch.Tensor, at: Any = (layer, position, head)
        ) -> torch.Tensor:
            new = out.clone()
            new[:, at[1], at[2]] = kept[at[0]][:, at[1], at[2]]
            return new

        hook = net.layers[layer].attn.hook_z.register_forward_hook(put)
        found[layer, position, head] = metric(net.logits_everywhere(tokens)[:, at]).numpy()
        hook.remove()
    return found


@pytest.mark.parametrize(
    "how",
    [
        {"layers": 3, "neurons": 32, "eps": 1e-5, "width": 16, "heads": 2},
        {"layers": 1, "width": 16, "heads": 2},
        {"layers": 2, "width": 12, "heads": 4, "neurons": 8, "act": "relu"},
    ],
)
@pytest.mark.parametrize(
    ("answers", "at"), [(-1, slice(8, 9)), (4, slice(4, 5)), (None, slice(None))]
)
def test_equal_to_patching_one_by_one(how: dict[str, Any], answers: int | None, at: slice) -> None:
    net = _net(**how)
    tokens, lent = torch.randint(0, 11, (2, 5, 9))

    def metric(logits: torch.Tensor) -> torch.Tensor:
        return logits[:, -1, 1] - logits[:, 0, 3] * logits[:, 0, 2]

    with torch.no_grad():
        plain = _one_by_one(net, tokens, lent, metric, at)
    found = patch_heads(net, tokens, lent, metric, answers=answers)
    assert np.abs(plain - plain.mean()).max() > 0.1
    np.testing.assert_allclose(found.values, plain, atol=2e-5)


def test_lending_a_prompt_to_itself_changes_nothing_and_the_frame_names_units() -> None:
    net = _net(layers=2, width=16, heads=2)
    tokens = torch.randint(0, 11, (4, 9))
    found = patch_heads(net, tokens, tokens, lambda logits: logits[:, -1, 0])
    assert np.abs(found.effect).max() < 1e-5
    assert np.isnan(found.restored_share).all()
    frame = found.frame
    assert len(frame) == 2 * 2 * 9
    row = frame[frame.unit == "blocks.1.attn.hook_z:1@pos7"].iloc[0]
    assert (row.layer, row["head"], row.position) == (1, 1, 7)


def test_nothing_behind_the_answer_counts() -> None:
    net = _net(layers=2, width=16, heads=2)
    tokens, lent = torch.randint(0, 11, (2, 4, 9))
    found = patch_heads(net, tokens, lent, lambda logits: logits[:, 0, 0], answers=3)
    assert (found.effect[:, 4:] == 0).all()
    assert (found.effect[1, :3] == 0).all()  # the last block writes only where it is read
    assert np.abs(found.effect[0, :4]).min() > 0


def test_progress_and_what_does_not_fit() -> None:
    net = _net(layers=2, width=16, heads=2)
    tokens = torch.randint(0, 11, (4, 9))
    seen: list[tuple[int, int]] = []
    patch_heads(
        net, tokens, tokens, lambda x: x[:, 0, 0], progress=lambda done, n: seen.append((done, n))
    )
    assert seen == [(1, 2), (2, 2)]
    with pytest.raises(InterventionError, match="Prompts are"):
        patch_heads(net, tokens, tokens[:3], lambda x: x[:, 0, 0])
    with pytest.raises(InterventionError, match="no position"):
        patch_heads(net, tokens, tokens, lambda x: x[:, 0, 0], answers=9)
    with pytest.raises(InterventionError, match="metric gives"):
        patch_heads(net, tokens, tokens, lambda x: x[:, 0, 0].mean())
