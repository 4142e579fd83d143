"""One image, looked at closer: what a unit or a class owes to its parts, where a head looks.

Both run the network; the figures are those of :func:`circuitz.effects.attribution.attribute.attribute`,
:func:`circuitz.effects.attribution.attention_patterns.attention` and :func:`circuitz.effects.attribution.direct_effect.direct_effect`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from circuitz.errors import InputsError
from circuitz.widgets.studio import sprite_sheets
from circuitz.widgets.studio.live_network import import_torch_module
from circuitz.widgets.studio.studio_payload import finite_or_none
from circuitz.z.inputs import InputSet
from circuitz.z.unit import OUTPUT

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

Answer = tuple[dict[str, Any], dict[str, bytes]]

#: Ways that fit a unit as well as a class; grad-cam and conductance are of classes alone.
METHODS = ("integrated-gradients", "gradient", "occlusion")
OF_CLASSES = (*METHODS, "grad-cam", "conductance")
_LISTED = 8


def attribute_on_image(
    z: AnnotatedModel, unit: str, image: int, target: str, method: str
) -> Answer:
    """Attribute a unit, or a class, to the parts of an image of the concept set.

    Parameters
    ----------
    z
        Annotated model with its network.
    unit
        Whose mean over positions is attributed, when ``target`` is empty.
    image
        Index in the concept set.
    target
        A class, or empty.
    method
        See :func:`circuitz.effects.attribution.attribute.attribute`.

    Returns
    -------
    What was asked, the shares of all attribution that raise and lower, and three pictures (PNG):
    the ``input``, and over it what ``raises`` and what ``lowers``.

    Raises
    ------
    CircuitzError
        If there is no torch, no network, no such image, or the method does not fit.
    """
    _require_concept_set_with_image(z, image)
    asked = f"{OUTPUT}:{target}" if target else unit
    found = import_torch_module("circuitz.effects.attribution.attribute").attribute(
        z, [image], asked, method
    )
    size = float(np.abs(found.values).sum())
    up = float(found.values.clip(min=0).sum())
    grown = {
        "input": found.images[0],
        "raises": found.pictures("raises")[0],
        "lowers": found.pictures("lowers")[0],
    }
    return {
        "target": asked,
        "method": method,
        "image": image,
        "raises": finite_or_none(up / size) if size else None,
        "python": f'cz.attribute(z, [{image}], "{asked}", "{method}").pictures()',
    }, {name: sprite_sheets.encode_png(picture) for name, picture in grown.items()}


def head_attention_on_sequence(z: AnnotatedModel, unit: str, image: int) -> Answer:
    """Return where a head looks on a token sequence, from every position to every other.

    Returns
    -------
    The tokens, the position that the row of the concept set is about, and ``pattern``: float32
    ``(queries, keys)``, rows summing to one.

    Raises
    ------
    CircuitzError
        If there is no torch, no network, or the unit is no head.
    """
    known = _require_concept_set_with_image(z, image)
    attention = import_torch_module("circuitz.effects.attribution.attention_patterns").attention
    pattern = attention(z, unit, known.images[[image]])[0]
    focus = [int(at) for at in known.focus[image]] if known.focus is not None else []
    facts = {
        "tokens": [known.vocabulary[token] for token in known.images[image]],
        "focus": focus,
        "python": f'circuitz.effects.attribution.attention_patterns.attention(z, "{unit}", z.concept_set.images[[{image}]])',
    }
    return facts, {"pattern": np.ascontiguousarray(pattern, "<f4").tobytes()}


def direct_token_effects(z: AnnotatedModel, unit: str, image: int = -1) -> Answer:
    """Return which tokens a head or neuron raises and lowers by itself.

    Parameters
    ----------
    z, unit
        Annotated transformer with its network, and its head or neuron.
    image
        Row of the concept set at whose query it writes; -1: the mean over its exemplars.

    Raises
    ------
    CircuitzError
        If there is no torch, no network, or the unit writes to no stream of tokens.
    """
    rows = None if image < 0 else [image]
    found = import_torch_module("circuitz.effects.attribution.direct_effect").direct_effect(
        z, unit, rows
    )
    order = np.argsort(-found.values, kind="stable")

    def token_changes(rows: Any) -> list[dict[str, Any]]:
        return [{"token": found.names[i], "change": finite_or_none(found.values[i])} for i in rows]

    return {
        "raises": token_changes([i for i in order[:_LISTED] if found.values[i] > 0]),
        "lowers": token_changes([i for i in order[::-1][:_LISTED] if found.values[i] < 0]),
        "inputs": found.inputs,
        "python": f'circuitz.effects.attribution.direct_effect.direct_effect(z, "{unit}", {rows}).frame',
    }, {}


def _require_concept_set_with_image(z: AnnotatedModel, image: int) -> InputSet:
    known = z.concept_set
    if known is None or not 0 <= image < len(known):
        raise InputsError(
            f"The concept set has no image {image}.",
            "Open it: z = z.with_(concept_set=...), or measure again.",
        )
    return known
