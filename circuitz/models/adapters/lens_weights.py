"""The weights of a TransformerLens model of the plain kind, as plain torch."""

from __future__ import annotations

from typing import Any

import torch

from circuitz.errors import NetworkError
from circuitz.models.zoo.small_transformer import ACTIVATIONS, SmallTransformer


def copy_to_small_transformer(bridge: Any, cfg: Any) -> SmallTransformer:
    """Copy a model's weights by their names in TransformerLens, whatever it is made of."""
    norm = "" if cfg.normalization_type is None else str(cfg.normalization_type)
    plain = norm in ("", "LN") and str(cfg.positional_embedding_type) == "standard"
    act = "relu" if cfg.attn_only else str(cfg.act_fn)
    kv = cfg.n_key_value_heads
    if not plain or act not in ACTIVATIONS or kv not in (None, cfg.n_heads):
        raise NetworkError(
            f"No plain copy can be made: normalisation {norm or 'none'}, positions "
            f"{cfg.positional_embedding_type}, activation {act}.",
            "Plain models have layer norm or none, learned positions, and heads with keys of their own.",
        )
    net = SmallTransformer(
        int(cfg.d_vocab), int(cfg.n_ctx), int(cfg.n_layers), int(cfg.n_heads), int(cfg.d_model),
        int(cfg.d_head), 0 if cfg.attn_only else int(cfg.d_mlp), act,
        float(cfg.eps) if norm else 0.0, int(bridge.W_U.shape[1]),
    )  # fmt: skip
    state: dict[str, torch.Tensor] = {
        "embed.weight": bridge.W_E, "pos_embed.weight": bridge.W_pos[: int(cfg.n_ctx)],
        "unembed.weight": bridge.W_U.T,
    }  # fmt: skip
    for i, block in enumerate(bridge.blocks):
        for name in "qkv":
            weight, bias = (getattr(block.attn, f"{kind}_{name.upper()}") for kind in "Wb")
            # (heads, width, head width) there, (heads * head width, width) here.
            state[f"blocks.{i}.attn.{name}.weight"] = weight.transpose(1, 2).flatten(0, 1)
            state[f"blocks.{i}.attn.{name}.bias"] = bias.flatten()
        state[f"blocks.{i}.attn.o.weight"] = block.attn.W_O.flatten(0, 1).T
        state[f"blocks.{i}.attn.o.bias"] = block.attn.b_O
        if not cfg.attn_only:
            state[f"blocks.{i}.mlp.inner.weight"] = block.mlp.W_in.T
            state[f"blocks.{i}.mlp.inner.bias"] = block.mlp.b_in
            state[f"blocks.{i}.mlp.outer.weight"] = block.mlp.W_out.T
            state[f"blocks.{i}.mlp.outer.bias"] = block.mlp.b_out
        if norm:
            for ln in ("ln1",) if cfg.attn_only else ("ln1", "ln2"):
                state[f"blocks.{i}.{ln}.weight"] = getattr(block, ln).w
                state[f"blocks.{i}.{ln}.bias"] = getattr(block, ln).b
    if norm:
        state |= {"ln_final.weight": bridge.ln_final.w, "ln_final.bias": bridge.ln_final.b}
    net.load_state_dict({name: value.detach().clone() for name, value in state.items()})
    return net.eval()
