"""Pictures of the report: small and inline."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.z.measurements import LayerMeasurements

U8 = npt.NDArray[np.uint8]
_DARK = 0.42
_QUALITY = 92


def photo_data_url(image: npt.NDArray[Any]) -> str:
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
    return _encode_data_url(out.getvalue(), "jpeg")


def strip_half_data_urls(png: bytes) -> tuple[str, str] | None:
    """Return a strip of evidence as two ``data:`` addresses, before and after.

    A narrow screen shows the halves one above the other. Few colours and hard edges: a palette
    keeps them at a third of the size. ``None`` for what is not a picture.
    """
    try:
        picture = Image.open(io.BytesIO(png)).convert("RGB")
    except (OSError, ValueError):
        return None
    middle = picture.width // 2
    before = picture.crop((0, 0, middle, picture.height))
    return _palette_png_url(before), _palette_png_url(picture.crop((middle, 0, *picture.size)))


def _palette_png_url(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.quantize(255, dither=Image.Dither.NONE).save(out, "PNG", optimize=True)
    return _encode_data_url(out.getvalue(), "png")


def _encode_data_url(data: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def light_where_active(image: U8, heat: U8) -> U8:
    """Light an image where a unit responds; the rest lies in the dark.

    A tint would change the colours units respond to. What reaches half the map's own peak is
    fully lit: exemplars are all strong, and the question is where.

    Parameters
    ----------
    image, heat
        ``(h, w, c)`` uint8, and ``(h', w')`` uint8 with 255 for the unit's largest peak.
    """
    height, width = image.shape[:2]
    wide = Image.fromarray(heat).resize((width, height), Image.Resampling.BILINEAR)
    strength = np.asarray(wide, np.float32)[..., None]
    strength = np.clip(2 * strength / max(float(strength.max()), 1.0), 0, 1)
    base = np.broadcast_to(image, (height, width, 3)).astype(np.float32)
    return np.round(base * (_DARK + (1 - _DARK) * strength)).astype(np.uint8)


def lit_exemplars(
    measurements: LayerMeasurements, unit: int, images: npt.NDArray[Any], most: int
) -> list[U8]:
    """Return the inputs a unit is most active on, lit where it responds."""
    best = measurements.exemplars[unit]
    return [
        light_where_active(np.asarray(images[i]), measurements.exemplar_heat[unit, place])
        for place, i in enumerate(best[:most])
        if 0 <= i < len(images)
    ]
