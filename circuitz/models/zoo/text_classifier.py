"""A transformer with a linear read-out, in plain torch: a text's tokens in, classes out."""

from __future__ import annotations

import torch
from torch import nn

from circuitz.models.zoo.builders import register
from circuitz.models.zoo.read_out import NEURONS, Pool, ReadOut, parse_block_and_site
from circuitz.models.zoo.small_transformer import Trunk


@register("text-classifier")
class TextClassifier(Trunk):
    """A small transformer up to a layer, and a linear probe on that layer.

    ``read`` passes what the probe reads, ``(n, t, units)``, weighed by position and zero at
    padding; every path to the classes crosses it.

    Parameters
    ----------
    vocabulary, context, heads, width, head_width, neurons, act, eps
        As of :class:`~circuitz.models.zoo.small_transformer.Trunk`; it has the blocks up to ``at``.
    classes
        Number of classes.
    at
        Layer that is read: ``blocks.N.hook_resid_post`` or ``blocks.N.mlp.hook_post``.
    pool
        ``mean`` over a text's tokens, or ``last``.
    padding
        Number of the token that fills up short texts; -1 for none.

    Raises
    ------
    ValueError
        If sizes, layer or pool cannot be.
    """

    def __init__(
        self,
        vocabulary: int,
        context: int,
        heads: int,
        width: int,
        classes: int,
        at: str,
        head_width: int = 0,
        neurons: int = 0,
        act: str = "gelu",
        eps: float = 0.0,
        pool: Pool = "mean",
        padding: int = -1,
    ) -> None:
        block, site = parse_block_and_site(at)
        if site == NEURONS and not neurons:
            raise ValueError(f"there are no neurons to read at {at!r}")
        super().__init__(
            vocabulary, context, block + 1, heads, width, head_width, neurons, act, eps
        )
        self.site = site
        if site == NEURONS:  # what comes after them is not read
            last = self.layers[-1]
            assert last.mlp is not None
            last.mlp.add_module("outer", nn.Identity())
            last.hook_resid_post = nn.Identity()
        self.read_out = ReadOut(neurons if site == NEURONS else width, classes, pool, padding)
        self.read = nn.Identity()

    def probed_activations(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the layer that is read, ``(n, t, units)``, before positions are weighed."""
        if self.site != NEURONS:
            return self.residual_stream(tokens)
        x = self.embed_tokens(tokens)
        for block in self.layers[:-1]:
            x = block(x)
        last = self.layers[-1]
        assert last.mlp is not None
        return last.mlp.neurons(last.ln2(x + last.attn(last.ln1(x))))

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)``."""
        return self.read_out(
            self.read(self.read_out.weigh_positions(self.probed_activations(tokens), tokens))
        )
