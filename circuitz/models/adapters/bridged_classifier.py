"""A Hugging Face model of any architecture TransformerLens bridges, with a linear read-out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import nn

from circuitz.models.adapters.bridged import BridgedModel
from circuitz.models.adapters.transformer_lens import Lens
from circuitz.models.zoo.builders import register
from circuitz.models.zoo.read_out import NEURONS, READ, Pool, ReadOut, parse_block_and_site


@register("bridged-classifier")
class BridgedClassifier(BridgedModel):
    """A bridged model up to a layer, and a linear probe on that layer.

    Parameters
    ----------
    config
        The model's configuration, as its ``config.json`` has it.
    classes, at, pool, padding
        As of :class:`~circuitz.models.zoo.text_classifier.TextClassifier`.
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
        block, site = parse_block_and_site(at)
        lens = lens or Lens.from_hugging_face_config(config)
        cfg = lens.config
        if block >= int(cfg.n_layers):
            raise ValueError(f"at is {at!r}; the model has {cfg.n_layers} blocks")
        super().__init__(lens, block + 1)
        self.at = at
        width = int(cfg.d_mlp) if site == NEURONS else int(cfg.d_model)
        self.read_out = ReadOut(width, classes, pool, padding)
        self.read = nn.Identity()

    def probed_activations(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return the layer that is read, ``(n, t, units)``, before positions are weighed."""
        return self.run_to_point(self.at, tokens)

    def tail(self, name: str) -> Callable[[torch.Tensor], torch.Tensor] | None:
        """Return what comes after ``read``; of other layers the whole model must be run."""
        return self.read_out if name == READ else None

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """Return logits ``(n, classes)``."""
        return self.read_out(
            self.read(self.read_out.weigh_positions(self.probed_activations(tokens), tokens))
        )
