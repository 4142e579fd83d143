"""Evidence of a range that is left: an input, where a unit responds to it, and the reference's most."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from circuitz.measurement.picture_drawing import (
    INK,
    PAPER,
    SIDE,
    SOFT,
    load_font_of_size,
    overlay_heat,
    resize_to_picture_side,
)

U8 = npt.NDArray[np.uint8]
F32 = npt.NDArray[np.float32]
_GAP, _TOP, _FOOT = 14, 24, 22


def render_side_by_side(
    images: Sequence[tuple[U8, F32 | None]], titles: Sequence[str], notes: Sequence[str]
) -> bytes:
    """Return images in a row as PNG, each with heat over it (or none), a title and a note."""
    width = len(images) * (SIDE + _GAP) + _GAP
    picture = Image.new("RGB", (width, _TOP + SIDE + _FOOT), PAPER)
    draw = ImageDraw.Draw(picture)
    for i, ((image, heat), title, note) in enumerate(zip(images, titles, notes, strict=True)):
        left = _GAP + i * (SIDE + _GAP)
        shown = image if heat is None else overlay_heat(image, heat)
        picture.paste(resize_to_picture_side(shown), (left, _TOP))
        draw.text((left, 5), title, fill=INK, font=load_font_of_size(13))
        draw.text((left, _TOP + SIDE + 3), note, fill=SOFT, font=load_font_of_size(12))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()
