"""Where a layer's units lie, and how inputs are prepared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from circuitz.errors import LayerError

#: Where a z notes of which layers units can be taken out in the weights, as was tried.
SILENCEABLE = "silenceable"


@dataclass(frozen=True)
class LayerSpec:
    """How to address the units of one layer.

    Parameters
    ----------
    name
        Dotted module name.
    size
        Number of units.
    site
        Which tensor of the module: its ``output`` for now.
    call_index
        Which call of the module in one forward pass, counted from 0.
    unit_axis
        Axis of the units, the batch axis being 0.
    spatial_axes, token_axes
        Axes over which one unit repeats; empty for a plain neuron.
    shape
        Shape of one input's activation, without the batch axis.
    receptive
        ``(size, stride, start)`` of a unit's receptive field in input pixels: position ``p``
        sees pixels ``start + p·stride`` to that plus ``size``. ``(0, 0, 0)``: the whole input.
    patches
        ``(first, height, width)`` of a layer whose one axis of positions runs over patches of a
        picture, row by row: the first of them, and how they lie. Positions before and after belong
        to no place (a class token). ``(0, 0, 0)``: not known, or no such layer.
    """

    name: str
    size: int
    site: str = "output"
    call_index: int = 0
    unit_axis: int = 1
    spatial_axes: tuple[int, ...] = ()
    token_axes: tuple[int, ...] = ()
    shape: tuple[int, ...] = ()
    receptive: tuple[int, int, int] = (0, 0, 0)
    patches: tuple[int, int, int] = (0, 0, 0)


Masking = Literal["none", "mask", "mask and positions"]
"""What a network that reads tokens is told about padding: nothing, which tokens are real, or also
at which place of its text each stands."""


@dataclass(frozen=True)
class Preprocessing:
    """How 8-bit images become the network's input: ``(x / 255 - mean) / std``.

    Parameters
    ----------
    mean, std
        One number a channel, in units of the 0..1 image.
    size
        Height and width the network was trained on.
    colour
        Channel order, ``RGB``, ``BGR`` or ``L``; ``tokens`` where inputs are token sequences,
        which are passed on as they are.
    padding
        Of tokens: the number of the one that fills up short texts; -1 where there is none.
    masking
        Of tokens: what the network is told about padding.
    padded_at
        Of tokens: where padding changes nothing, ``either`` end, or the ``right`` or ``left`` one.
    """

    mean: tuple[float, ...] = (0.5, 0.5, 0.5)
    std: tuple[float, ...] = (0.25, 0.25, 0.25)
    size: tuple[int, int] = (64, 64)
    colour: str = "RGB"
    padding: int = -1
    masking: Masking = "none"
    padded_at: Literal["either", "right", "left"] = "either"

    @classmethod
    def for_token_sequences(cls, length: int, padding: int = -1) -> Preprocessing:
        """Return that of a network that reads token sequences of up to ``length`` positions."""
        return cls((), (), (1, length), "tokens", padding)

    @property
    def is_tokens(self) -> bool:
        """Whether inputs are token sequences."""
        return self.colour == "tokens"


Head = Literal["softmax", "binary", "multi-label"]
"""What the logits mean: one class of several; one logit for the second of two classes; a yes or
no for each class by itself."""


def check_head_fits_classes(head: str, classes: Sequence[str]) -> None:
    """Refuse a head that does not exist or does not fit the classes.

    Raises
    ------
    LayerError
        If so.
    """
    if head not in get_args(Head):
        raise LayerError(
            f"There is no head {head!r}.", f"Choose one of {', '.join(get_args(Head))}."
        )
    if head == "binary" and len(classes) != 2:
        raise LayerError(
            f"A binary head tells two classes apart; there are {len(classes)}.",
            "Name two: the one its logit speaks against, then the one it speaks for.",
        )


def check_layers_and_cut(
    layers: Sequence[LayerSpec], cut: Sequence[str], classes: Sequence[str]
) -> None:
    """Refuse layers, a cut and classes that do not fit together.

    Raises
    ------
    LayerError
        If a name is repeated or empty, or the cut names no layer.
    """
    names = [layer.name for layer in layers]
    if len(set(names)) != len(names):
        raise LayerError("Two layers have the same name.", "Name each layer once.")
    unknown = sorted(set(cut) - set(names))
    if unknown:
        raise LayerError(f"The cut names {unknown}, not among the layers.", f"They are {names}.")
    if len(set(classes)) != len(classes) or "" in classes:
        raise LayerError("Class names are empty or repeated.", "Give each class its own name.")
