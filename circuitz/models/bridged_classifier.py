"""A Hugging Face model of any architecture TransformerLens bridges, with a linear read-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import torch
from torch import nn

from circuitz.errors import LayerError
from circuitz.models.builders import register
from circuitz.models.read_out import NEURONS, READ, Pool, ReadOut, place_of
from circuitz.models.small_transformer import HeadPoint
from circuitz.models.transformer_lens import SITES, Lens


class Points(nn.Module):
    """Where a block is read and written; names as TransformerLens has them."""

    def __init__(self, *, neurons: bool) -> None:
        super().__init__()
        self.attn = nn.Module()
        self.attn.hook_pattern, self.attn.hook_z = nn.Identity(), HeadPoint()
        self.mlp = nn.Module()
        if neurons:
            self.mlp.hook_post = nn.Identity()
        self.hook_resid_post = nn.Identity()


class _Read(BaseException):
    """Leaves the model once the layer has been read; no ``except Exception`` may eat it."""


@register("bridged-classifier")
class BridgedClassifier(nn.Module):
    """A bridged model up to a layer, and a linear probe on that layer.

    Parameters
    ----------
    config
        The model's configuration, as its ``config.json`` has it.
    classes, at, pool, padding
        As of :class:`~circuitz.models.text_classifier.TextClassifier`.
    lens
        The model; by default one with fresh weights. Not for bundles, which hold ``config``.

    Raises
    ------
    ValueError
        If layer or pool cannot be.
    NetworkError, BuilderError
        If the model cannot be built.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        classes: int,
        at: str,
        pool: Pool = "mean",
        padding: int = -1,
        lens: Lens | None = None,
    ) -> None:
        super().__init__()
        block, site = place_of(at)
        lens = lens or Lens.of_config(config)
        cfg = lens.config
        if block >= int(cfg.n_layers):
            raise ValueError(f"at is {at!r}; the model has {cfg.n_layers} blocks")
        self.at, self.context, self.vocabulary = at, int(cfg.n_ctx), int(cfg.d_vocab)
        self.lm = lens.bridge
        self.blocks = nn.ModuleList(Points(neurons=not cfg.attn_only) for _ in range(block + 1))
        width = int(cfg.d_mlp) if site == NEURONS else int(cfg.d_model)
        self.read_out = ReadOut(width, classes, pool, padding)
        self.read = nn.Identity()

    def state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """Return parameters and buffers, each under one name (a bridge has several for some)."""
        found = super().state_dict(*args, **kwargs)
        own = {name for name, _ in self.named_parameters()}
        own |= {name for name, _ in self.named_buffers()}
        for name in [name for name in found if name not in own]:
            del found[name]
        return found

    def layer(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the layer that is read, ``(n, t, units)``, before positions are weighed."""
        points: dict[str, nn.Module] = {
            f"blocks.{i}.{site}": self.get_submodule(f"blocks.{i}.{site}")
            for i in range(len(self.blocks))
            for site in (*SITES, "attn.hook_pattern")
            if f"blocks.{i}.{site}" == self.at or _has(self.blocks[i], site)
        }
        found: list[torch.Tensor] = []
        hooks = [(name, self._passing(name, point, found)) for name, point in points.items()]
        with suppress(_Read):
            self.lm.run_with_hooks(tokens, fwd_hooks=hooks)
        if not found:
            raise LayerError(
                f"The model has no {self.at!r} that is called.",
                "Read another layer: --layer blocks.N.hook_resid_post.",
            )
        return found[0]

    def _passing(
        self, name: str, point: nn.Module, found: list[torch.Tensor]
    ) -> Callable[..., torch.Tensor]:
        def through(value: torch.Tensor, hook: Any) -> torch.Tensor:
            del hook
            passed = point(value)
            if name == self.at:
                found.append(passed)
                raise _Read
            return passed

        return through

    def tail(self, name: str) -> Callable[[torch.Tensor], torch.Tensor] | None:
        """Return what comes after ``read``; of other layers the whole model must be run."""
        return self.read_out if name == READ else None

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)``."""
        return self.read_out(self.read(self.read_out.weighed(self.layer(tokens), tokens)))


def _has(block: nn.Module, site: str) -> bool:
    try:
        block.get_submodule(site)
    except AttributeError:
        return False
    return True
