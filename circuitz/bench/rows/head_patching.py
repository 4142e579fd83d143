"""All heads at all positions: ours in batches from the patched position on, theirs one by one."""

from __future__ import annotations

import io
from contextlib import redirect_stderr
from typing import Any

from circuitz.bench.row import RowSize, Sides, SpeedRow


def _make_sides_to_time(size: RowSize) -> Sides:
    import torch
    from transformer_lens.patching import get_act_patch_attn_head_out_by_pos

    from circuitz.effects.ablation.patch_heads import patch_heads
    from circuitz.models.adapters.transformer_lens import Lens

    layers, positions, prompts = (2, 16, 8) if size.quick else (4, 32, 16)
    lens = Lens.native(
        {
            "n_layers": layers, "n_heads": 4, "d_model": 64, "d_head": 16, "n_ctx": positions,
            "d_vocab": 100, "act_fn": "gelu", "seed": 0,
        }
    )  # fmt: skip
    net = lens.to_small_transformer()
    draw = torch.Generator().manual_seed(0)
    tokens, lent = (torch.randint(0, 100, (prompts, positions), generator=draw) for _ in range(2))

    def logit_difference(logits: Any) -> Any:
        return logits[:, -1, 1] - logits[:, -1, 2]

    def patch_with_circuitz() -> Any:
        return patch_heads(net, tokens, lent, logit_difference).values.mean(-1)

    def patch_with_transformer_lens() -> Any:
        # Its progress bar would be part of its time on a terminal.
        with torch.no_grad(), redirect_stderr(io.StringIO()):
            _, cache = lens.bridge.run_with_cache(lent)
            found = get_act_patch_attn_head_out_by_pos(
                lens.bridge, tokens, cache, lambda logits: logit_difference(logits).mean()
            )
        return found.numpy()

    return Sides(
        patch_with_circuitz,
        patch_with_transformer_lens,
        lambda a, b: float(abs(a - b).max()),
        facts=lambda a, _b: {"patches": int(a.size), "prompts": prompts},
    )


ROW = SpeedRow(
    name="head-patching",
    what="every head at every position patched: 4 layers, 4 heads, 32 positions, 16 prompts",
    make=_make_sides_to_time,
    peer="TransformerLens get_act_patch_attn_head_out_by_pos, boot_native",
    target="ratio >= 8, diff <= 1e-4",
    bound="the neurons of the positions behind the patched one, which must be run anew each time",
    rounds=3,
    needs=("transformer_lens",),
)
