"""What the values of units are made from, by layer and by basis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from circuitz.disk.hashing import json_hash
from circuitz.models.run.basis_space import place_of
from circuitz.models.run.dependency import values_hashes
from circuitz.models.run.runtime import Runtime

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel


def values_of(z: AnnotatedModel, run: Runtime, names: Sequence[str]) -> dict[str, str]:
    """Return a hash a layer or basis that is the same as long as its units' values are.

    Parameters
    ----------
    z
        Annotated model.
    run
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
    network = [z.builder, z.builder_args] if z.builder else [repr(run.module)]
    of_layer = values_hashes(run, layers, network)
    found: dict[str, str] = {}
    for name in names:
        place = place_of(z, name)
        found[name] = of_layer[place.layer.name]
        if place.basis is not None:
            found[name] = json_hash([found[name], place.basis.hash])
    return found
