"""What pictures of evidence have in common: their size, colours and letters, and heat over an image."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFont

F32 = npt.NDArray[np.float32]
U8 = npt.NDArray[np.uint8]

SIDE = 192
INK, SOFT, PAPER = (31, 35, 40), (101, 109, 118), (255, 255, 255)
_HEAT = np.array([255.0, 96.0, 0.0])


@lru_cache
def load_font_of_size(size: int) -> Any:
    """Return the built-in font."""
    return ImageFont.load_default(size)


def resize_to_picture_side(image: U8) -> Image.Image:
    """Return an image at the side of evidence pictures."""
    plain = image[..., 0] if image.shape[-1] == 1 else image
    picture = Image.fromarray(plain).convert("RGB")
    # Whole pixels stay crisp (and compress four times better); other sizes are smoothed.
    whole = SIDE % picture.width == 0 and SIDE % picture.height == 0
    how = Image.Resampling.NEAREST if whole else Image.Resampling.LANCZOS
    return picture.resize((SIDE, SIDE), how)


def overlay_heat(image: U8, heat: F32) -> U8:
    """Paint heat over an image, greying what the units do not see so that it reads anywhere."""
    height, width = image.shape[:2]
    wide = Image.fromarray(heat.astype(np.float32)).resize(
        (width, height), Image.Resampling.BILINEAR
    )
    strength = 0.65 * np.clip(np.asarray(wide), 0, 1)[..., None]
    base = np.broadcast_to(image, (height, width, 3)).astype(np.float32)
    grey = base.mean(2, keepdims=True)
    base = base + (0.35 * (1 - strength)) * (grey - base)
    return np.round(base * (1 - strength) + _HEAT * strength).astype(np.uint8)
