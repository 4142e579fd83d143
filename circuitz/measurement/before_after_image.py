"""Evidence one can look at: an input before and after an intervention, as one picture."""

from __future__ import annotations

import io
from dataclasses import dataclass

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

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

_BARS = 206
_GAP = 14
_TOP = 24
_FOOT = 22
_BAR, _HIT = (176, 190, 205), (200, 80, 30)


@dataclass(frozen=True, eq=False)
class BeforeAfterImage:
    """One picture: an input and its prediction, what was lent to it, and the prediction then.

    Parameters
    ----------
    source, donor
        ``(h, w, c)`` uint8 images.
    heat
        ``(h', w')`` float 0..1: where in the donor the units respond.
    before, after
        ``(k,)`` class probabilities.
    classes, target
        Class names, and the index of the class whose margin was read.
    titles
        Three short lines: over the source, the donor and the second prediction.
    """

    source: U8
    donor: U8
    heat: F32
    before: F32
    after: F32
    classes: tuple[str, ...]
    target: int
    titles: tuple[str, str, str]


def render_before_after(strip: BeforeAfterImage) -> bytes:
    """Return the strip as PNG."""
    width = 2 * SIDE + 2 * _BARS + 5 * _GAP
    picture = Image.new("RGB", (width, _TOP + SIDE + _FOOT), PAPER)
    draw = ImageDraw.Draw(picture)
    left = _GAP
    places: list[int] = []
    for size in (SIDE, _BARS, SIDE, _BARS):
        places.append(left)
        left += size + _GAP
    picture.paste(resize_to_picture_side(strip.source), (places[0], _TOP))
    picture.paste(resize_to_picture_side(overlay_heat(strip.donor, strip.heat)), (places[2], _TOP))
    _draw_class_bars(draw, (places[1], _TOP), strip.before, strip)
    _draw_class_bars(draw, (places[3], _TOP), strip.after, strip)
    heads = (strip.titles[0], "the network says", strip.titles[1], "and then says")
    for x, text in zip(places, heads, strict=True):
        draw.text((x, 5), text, fill=INK, font=load_font_of_size(13))
    draw.text((places[3], _TOP + SIDE + 3), strip.titles[2], fill=SOFT, font=load_font_of_size(12))
    buffer = io.BytesIO()
    # Twice as fast as the default level, for pictures an eighth larger.
    picture.save(buffer, "PNG", compress_level=3)
    return buffer.getvalue()


def _draw_class_bars(
    draw: ImageDraw.ImageDraw, at: tuple[int, int], share: F32, strip: BeforeAfterImage
) -> None:
    """Draw the likeliest classes, and always the target, in the order of the classes."""
    best = {int(k) for k in np.argsort(-(strip.before + strip.after))[:7]} | {strip.target}
    rows = sorted(best)
    step = min(26, SIDE // len(rows))
    x, y = at
    name_width = 84
    room = _BARS - name_width - 40
    for row, k in enumerate(rows):
        top = y + row * step + (SIDE - step * len(rows)) // 2
        colour = _HIT if k == strip.target else _BAR
        text = _HIT if k == strip.target else INK
        draw.text(
            (x, top + 3),
            _shorten_name(draw, strip.classes[k], name_width - 6),
            text,
            load_font_of_size(13),
        )
        long = max(1, round(room * float(share[k])))
        draw.rectangle((x + name_width, top + 5, x + name_width + long, top + step - 6), colour)
        percent = f"{float(share[k]):.0%}"
        draw.text((x + name_width + long + 5, top + 3), percent, SOFT, load_font_of_size(12))


def _shorten_name(draw: ImageDraw.ImageDraw, name: str, room: int) -> str:
    """Cut a name that is too long for its place."""
    if draw.textlength(name, load_font_of_size(13)) <= room:
        return name
    while len(name) > 1 and draw.textlength(name + "…", load_font_of_size(13)) > room:
        name = name[:-1]
    return name + "…"
