"""Pictures for the screen: exemplars once each in sprite sheets, and strips for one unit."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
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
#: More thumbnails than this would make the first message heavy; the rest come with a unit.
MOST_TILES = 8192
PER_UNIT = 9


@dataclass(frozen=True, eq=False)
class Atlas:
    """Thumbnails of a concept set, each picture once.

    Parameters
    ----------
    tile, columns
        Side of a thumbnail in pixels, and thumbnails along each side of a page.
    pages
        JPEG files.
    place
        Index in the concept set to place in the atlas.
    """

    tile: int
    columns: int
    pages: tuple[bytes, ...]
    place: dict[int, int]

    def payload(self) -> dict[str, Any]:
        """Return what the trait holds."""
        return {"tile": self.tile, "columns": self.columns, "pages": list(self.pages)}


def atlas(images: U8 | None, layers: Sequence[LayerMeasurements], most: int = MOST_TILES) -> Atlas:
    """Collect the exemplars of all units, best ranks first, into sprite sheets.

    Parameters
    ----------
    images
        ``(n, h, w, c)`` uint8 of the concept set; ``None`` when it is not at hand.
    layers
        Measurements whose exemplars are wanted.
    most
        Limit on thumbnails; units beyond it show only their best exemplars.
    """
    if images is None or not len(images):
        return Atlas(64, COLUMNS, (), {})
    flat = _by_rank([layer.exemplars for layer in layers])
    flat = flat[(flat >= 0) & (flat < len(images))]
    _, first = np.unique(flat, return_index=True)
    wanted = flat[np.sort(first)][:most]
    tile = min(LARGEST_TILE, max(images.shape[1:3]))
    per_page = COLUMNS * COLUMNS
    pages = [
        _page(images, wanted[at : at + per_page], tile) for at in range(0, len(wanted), per_page)
    ]
    place = {int(index): i for i, index in enumerate(wanted)}
    return Atlas(tile, COLUMNS, tuple(pages), place)


def places(layer: LayerMeasurements, found: Mapping[int, int]) -> npt.NDArray[np.int32]:
    """Return ``(u, 9)`` places in the atlas, -1 where there is no thumbnail."""
    table = np.full((len(layer.exemplars), PER_UNIT), -1, np.int32)
    shown = layer.exemplars[:, :PER_UNIT]
    if found:
        known = np.array(sorted(found.items()), np.int64)
        at = np.searchsorted(known[:, 0], shown).clip(0, len(known) - 1)
        table[:, : shown.shape[1]] = np.where(known[at, 0] == shown, known[at, 1], -1)
    return table


def boxes(layer: LayerMeasurements, height: int, width: int) -> npt.NDArray[np.float32]:
    """Return ``(u, 9, 4)`` crops as shares of the picture: top, left, bottom, right."""
    shares = np.zeros((len(layer.exemplars), PER_UNIT, 4), np.float32)
    shares[..., 2:] = 1
    known = layer.exemplar_boxes[:, :PER_UNIT].astype(np.float32)
    known = known / np.array([height, width, height, width], np.float32)
    shares[:, : known.shape[1]] = np.clip(known, 0, 1)
    return shares


def strip(images: U8, indices: Sequence[int]) -> tuple[bytes, tuple[int, int]]:
    """Put pictures side by side in one PNG.

    Returns
    -------
    The file, and width and height of each picture in it.
    """
    height, width = images.shape[1:3]
    scale = min(1.0, LARGEST_STRIP / max(height, width, 1))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    joined = Image.new("RGB", (size[0] * max(1, len(indices)), size[1]))
    for i, index in enumerate(indices):
        joined.paste(_picture(images[index], size), (i * size[0], 0))
    return _encoded(joined, "PNG"), size


def png(image: U8) -> bytes:
    """Encode one ``(h, w, c)`` picture."""
    return _encoded(_picture(image, None), "PNG")


def _by_rank(tables: Sequence[npt.NDArray[np.int64]]) -> npt.NDArray[np.int64]:
    """Return all exemplars: the first of every unit, then the second of every unit, ..."""
    depth = max((table.shape[1] for table in tables), default=0)
    ranks = [table[:, rank] for rank in range(depth) for table in tables if rank < table.shape[1]]
    return np.concatenate(ranks) if ranks else np.zeros(0, np.int64)


def _page(images: U8, indices: npt.NDArray[np.int64], tile: int) -> bytes:
    rows = -(-len(indices) // COLUMNS)
    page = Image.new("RGB", (COLUMNS * tile, rows * tile))
    for i, index in enumerate(indices):
        corner = (i % COLUMNS * tile, i // COLUMNS * tile)
        page.paste(_picture(images[int(index)], (tile, tile)), corner)
    return _encoded(page, "JPEG")


def _picture(image: U8, size: tuple[int, int] | None) -> Image.Image:
    pixels = np.asarray(image, np.uint8)
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    picture = Image.fromarray(np.ascontiguousarray(pixels[..., :3]))
    if size is None or picture.size == size:
        return picture
    return picture.resize(size, Image.Resampling.LANCZOS)


def _encoded(picture: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "JPEG":
        picture.save(buffer, "JPEG", quality=90, subsampling=0)
    else:
        picture.save(buffer, "PNG", compress_level=4)
    return buffer.getvalue()
