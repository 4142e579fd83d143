"""What the values of units are made from, by layer and by basis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuitz.disk.hashing import json_hash
from circuitz.models.run.basis_space import resolve_unit_space
from circuitz.models.run.dependency import hash_upstream_values
from circuitz.models.run.runtime import Runtime

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def unit_value_hashes(z: AnnotatedModel, runtime: Runtime, names: Sequence[str]) -> dict[str, str]:
    """Return a hash a layer or basis that is the same as long as its units' values are.

    Parameters
    ----------
    z
        Annotated model.
    runtime
        Its network.
    names
        Layers, and bases over them (``conv4@nmf``).

    Notes
    -----
    What a module without a builder keeps in Python and does not show in its description is not
    known here.
    """
    layers = list(dict.fromkeys(name.partition("@")[0] for name in names))
    # What a module keeps besides weights, a live one shows in its description (slopes, strides).
    network = [z.builder, z.builder_args] if z.builder else [repr(runtime.module)]
    of_layer = hash_upstream_values(runtime, layers, network)
    found: dict[str, str] = {}
    for name in names:
        place = resolve_unit_space(z, name)
        found[name] = of_layer[place.layer.name]
        if place.basis is not None:
            found[name] = json_hash([found[name], place.basis.hash])
    return found
