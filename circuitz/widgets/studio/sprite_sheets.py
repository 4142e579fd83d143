"""Pictures for the screen: exemplars once each in sprite sheets, and strips for one unit."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.z.measurements import LayerMeasurements

U8 = npt.NDArray[np.uint8]
#: Sheets of 16 x 16 thumbnails stay far below what a browser can decode.
COLUMNS = 16
LARGEST_TILE = 96
LARGEST_STRIP = 224
#: More thumbnails than this would make the first message heavy; the rest are asked for on sight.
MOST_TILES = 2048
PER_UNIT = 9


@dataclass(frozen=True, eq=False)
class ThumbnailAtlas:
    """Thumbnails of some images.

    Parameters
    ----------
    tile, columns
        Side of a thumbnail in pixels, and thumbnails along each side of a page.
    images
        ``(n,)`` which image of the concept set is at each place.
    pages
        JPEG files.
    """

    tile: int
    columns: int
    images: npt.NDArray[np.int64]
    pages: tuple[bytes, ...]

    def payload(self) -> dict[str, Any]:
        """Return what the trait holds."""
        return {
            "tile": self.tile,
            "columns": self.columns,
            "images": self.images.astype("<i4").tobytes(),
            "pages": list(self.pages),
        }


def pack_thumbnails_into_atlas(images: U8 | None, indices: npt.NDArray[np.int64]) -> ThumbnailAtlas:
    """Put images into sprite sheets.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8 of the concept set; ``None`` when it is not at hand.
    indices
        Which of them, once each.
    """
    if images is None or not len(indices):
        return ThumbnailAtlas(64, COLUMNS, np.zeros(0, np.int64), ())
    tile = min(LARGEST_TILE, max(images.shape[1:3]))
    per_page = COLUMNS * COLUMNS
    pages = [
        _encode_sprite_page_jpeg(images, indices[at : at + per_page], tile)
        for at in range(0, len(indices), per_page)
    ]
    return ThumbnailAtlas(tile, COLUMNS, indices, tuple(pages))


def exemplar_crop_boxes(
    layer: LayerMeasurements, units: npt.NDArray[np.int64], height: int, width: int
) -> npt.NDArray[np.uint8]:
    """Return ``(units, 9, 4)`` crops: top, left, bottom, right as shares of 255."""
    shares = np.zeros((len(units), PER_UNIT, 4), np.float32)
    shares[..., 2:] = 1
    known = layer.exemplar_boxes[units, :PER_UNIT].astype(np.float32)
    known = known / np.array([height, width, height, width], np.float32)
    shares[:, : known.shape[1]] = np.clip(known, 0, 1)
    return np.rint(shares * 255).astype(np.uint8)


def encode_picture_strip(
    images: U8, indices: Sequence[int], largest: int = LARGEST_STRIP
) -> tuple[bytes, tuple[int, int]]:
    """Put pictures side by side in one PNG, none larger than ``largest`` pixels.

    Returns
    -------
    The file, and width and height of each picture in it.
    """
    height, width = images.shape[1:3]
    scale = min(1.0, largest / max(height, width, 1))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    joined = Image.new("RGB", (size[0] * max(1, len(indices)), size[1]))
    for i, index in enumerate(indices):
        joined.paste(_resized_rgb_picture(images[index], size), (i * size[0], 0))
    return _encode_jpeg_or_png(joined, "PNG"), size


def encode_png(image: U8) -> bytes:
    """Encode one ``(h, w, c)`` picture."""
    return _encode_jpeg_or_png(_resized_rgb_picture(image, None), "PNG")


def _encode_sprite_page_jpeg(images: U8, indices: npt.NDArray[np.int64], tile: int) -> bytes:
    rows = -(-len(indices) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * tile, rows * tile))
    for i, index in enumerate(indices):
        corner = (i % COLUMNS * tile, i // COLUMNS * tile)
        page.paste(_resized_rgb_picture(images[int(index)], (tile, tile)), corner)
    return _encode_jpeg_or_png(page, "JPEG")


def _resized_rgb_picture(image: U8, size: tuple[int, int] | None) -> Image.Image:
    pixels = np.asarray(image, np.uint8)
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    if size is None or picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS)


def _encode_jpeg_or_png(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "JPEG":
        picture.save(buffer, "JPEG", quality=90, subsampling=0)
    else:
        picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
