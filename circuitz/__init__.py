"""circuitz: see what a neural network relies on, and say so in words that are checked.

The verbs are functions of this package; importing it loads no torch.

>>> import circuitz as cz
>>> z = cz.wrap(net, data, layers=["conv4"], classes=names)   # doctest: +SKIP
>>> z = cz.measure(z, concept_set)                            # doctest: +SKIP
>>> report = cz.check(z)                                      # doctest: +SKIP
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# Each verb lives in its own room; it is imported when first used, so that a screen which only
# shows a z never pays for torch.
_VERBS = {
    "AnnotatedModel": "circuitz.z.model",
    "InputSet": "circuitz.z.inputs",
    "Lexicon": "circuitz.lexicon.lexicon",
    "Studio": "circuitz.widgets.studio.studio",
    "ablate": "circuitz.effects.ablation.ablate",
    "attribute": "circuitz.effects.attribution.attribute",
    "check": "circuitz.plausibility.check",
    "direction_effect": "circuitz.effects.direction_effect",
    "directions": "circuitz.responses.directions.directions",
    "edges": "circuitz.effects.edge.edges",
    "effect": "circuitz.effects.unit_effect",
    "graph": "circuitz.effects.circuit.graph",
    "illustrate": "circuitz.measurement.illustrate",
    "load": "circuitz.z.bundle.load_save",
    "measure": "circuitz.measurement.measure",
    "path_effect": "circuitz.effects.path_effect",
    "propose": "circuitz.plausibility.propose",
    "silence": "circuitz.zstar.silence",
    "wrap": "circuitz.wrapping.wrap",
}
__all__ = [
    "AnnotatedModel",
    "InputSet",
    "Lexicon",
    "Studio",
    "__version__",
    "ablate",
    "attribute",
    "check",
    "direction_effect",
    "directions",
    "edges",
    "effect",
    "graph",
    "illustrate",
    "load",
    "measure",
    "path_effect",
    "propose",
    "silence",
    "wrap",
]

if TYPE_CHECKING:
    from circuitz.effects.ablation.ablate import ablate as ablate
    from circuitz.effects.attribution.attribute import attribute as attribute
    from circuitz.effects.circuit.graph import graph as graph
    from circuitz.effects.direction_effect import direction_effect as direction_effect
    from circuitz.effects.edge.edges import edges as edges
    from circuitz.effects.path_effect import path_effect as path_effect
    from circuitz.effects.unit_effect import effect as effect
    from circuitz.lexicon.lexicon import Lexicon as Lexicon
    from circuitz.measurement.illustrate import illustrate as illustrate
    from circuitz.measurement.measure import measure as measure
    from circuitz.plausibility.check import check as check
    from circuitz.plausibility.propose import propose as propose
    from circuitz.responses.directions.directions import directions as directions
    from circuitz.widgets.studio.studio import Studio as Studio
    from circuitz.wrapping.wrap import wrap as wrap
    from circuitz.z.bundle.load_save import load as load
    from circuitz.z.inputs import InputSet as InputSet
    from circuitz.z.model import AnnotatedModel as AnnotatedModel
    from circuitz.zstar.silence import silence as silence


def __getattr__(name: str) -> Any:
    if name in _VERBS:
        return getattr(import_module(_VERBS[name]), name)
    raise AttributeError(f"module 'circuitz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
