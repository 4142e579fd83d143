"""Pictures of the report: small, inline, and the same husky on every ground."""

from __future__ import annotations

import base64
import io
from dataclasses import replace
from typing import Any, cast

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.data.render import render
from circuitz.data.scenes import Plan, Role
from circuitz.evaluation.truth import KnownSet
from circuitz.z.measurements import LayerMeasurements

U8 = npt.NDArray[np.uint8]
I64 = npt.NDArray[np.int64]
_HEAT = np.array([255.0, 96.0, 0.0])  # as on the strips of evidence
_QUALITY = 92


def photo(image: npt.NDArray[Any]) -> str:
    """Return an image as a ``data:`` address (JPEG: the page holds a few hundred).

    Parameters
    ----------
    image
        ``(h, w, c)`` uint8 with 1 or 3 channels.
    """
    plain = np.ascontiguousarray(image, np.uint8)
    picture = Image.fromarray(plain[..., 0] if plain.shape[-1] == 1 else plain).convert("RGB")
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY, subsampling=0, optimize=True)
    return _address(out.getvalue(), "jpeg")


def strip(png: bytes) -> str:
    """Return a strip of evidence as a ``data:`` address.

    Few colours and hard edges: a palette keeps it a third of the size. What is not a picture is
    passed on as it is, so that a page comes out all the same.
    """
    try:
        picture = Image.open(io.BytesIO(png)).convert("RGB")
    except OSError:
        return _address(png, "png")
    out = io.BytesIO()
    picture.quantize(255, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return _address(min(out.getvalue(), png, key=len), "png")


def _address(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def heated(image: U8, heat: U8) -> U8:
    """Paint a unit's map over an image; what the unit does not see turns grey.

    Parameters
    ----------
    image, heat
        ``(h, w, c)`` uint8, and ``(h', w')`` uint8 with 255 for the unit's largest peak.
    """
    height, width = image.shape[:2]
    wide = Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR)
    strength = 0.6 * (np.asarray(wide, np.float32) / 255.0)[..., None]
    base = np.broadcast_to(image, (height, width, 3)).astype(np.float32)
    base = base + 0.45 * (1 - strength) * (base.mean(2, keepdims=True) - base)
    return np.round(base * (1 - strength) + _HEAT * strength).astype(np.uint8)


def exemplars(found: LayerMeasurements, unit: int, images: npt.NDArray[Any], most: int) -> list[U8]:
    """Return the inputs a unit is most active on, its map painted over them."""
    best = found.exemplars[unit]
    return [
        heated(np.asarray(images[i]), found.exemplar_heat[unit, place])
        for place, i in enumerate(best[:most])
        if 0 <= i < len(images)
    ]


def on_every_ground(shifted: KnownSet, rows: I64) -> U8 | None:
    """Paint some dogs of D′ again, on every ground in turn; all else stays.

    Parameters
    ----------
    shifted
        D′ with its truth.
    rows
        ``(m,)`` which dogs.

    Returns
    -------
    numpy.ndarray or None
        ``(m, grounds, h, w, c)`` uint8; ``None`` when the pictures do not come out as they are
        in D′ on their own ground, so that nothing is shown that is not the same dog.
    """
    recipe = shifted.inputs.recipe
    if recipe.get("world") != "dogs" or not len(rows):
        return None
    plan = Plan(
        cast(Role, recipe["role"]), cast(int, recipe["n"]), cast(int, recipe["seed"]),
        cast(str, recipe["shortcut"]), cast(float, recipe["track"]),
        cast(bool, recipe["balanced_cells"]),
    )  # fmt: skip
    scenes = plan.scenes()
    if len(scenes) != len(shifted):
        return None
    chosen, size = scenes.rows(rows), shifted.inputs.images.shape[1]
    made = [
        render(replace(chosen, ground=np.full(len(rows), ground, np.int8)), size)[0]
        for ground in range(len(shifted.truth.grounds))
    ]
    out = np.stack(made, 1)
    same = out[np.arange(len(rows)), shifted.truth.ground[rows]]
    return out if np.array_equal(same, shifted.inputs.images[rows]) else None
