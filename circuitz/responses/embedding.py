"""What images are compared by: the means over positions of one late layer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from circuitz.models.run.layer_specs import flatten_unit_maps
from circuitz.models.run.runtime import Runtime
from circuitz.models.run.unit_space import UnitSpace
from circuitz.z.inputs import InputSet
from circuitz.z.layer import LayerSpec


def penultimate_layer(runtime: Runtime, spaces: Sequence[UnitSpace], inputs: InputSet) -> LayerSpec:
    """Return the last layer that is not the logits."""
    layers = {p.layer.name: p.layer for p in spaces}
    order = [layers[name] for name in runtime.layers if name in layers] or list(layers.values())
    if len(order) > 1:
        classes = runtime.logits(inputs.images[:1]).shape[1]
        if order[-1].shape == (classes,):
            return order[-2]
    return order[-1]


def embed_activations(spec: LayerSpec, act: torch.Tensor) -> npt.NDArray[np.float32]:
    """Return embeddings ``(n, u)`` given a layer's output."""
    return flatten_unit_maps(spec, act).float().mean(2).cpu().numpy()
