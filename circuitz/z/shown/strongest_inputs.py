"""The inputs on which a unit is most active, as pictures and as a table."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from PIL import Image

from circuitz.errors import MeasurementError
from circuitz.z.bases import basis_sizes
from circuitz.z.inputs import InputSet
from circuitz.z.shown.frames import typed_frame
from circuitz.z.targets import canonical_target
from circuitz.z.unit import Unit

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

EXEMPLAR_COLUMNS = {
    "rank": "int64",
    "index": "int64",
    "peak": "float64",
    "shows": "object",
    "class": "str",
    "text": "str",
    "top": "int64",
    "left": "int64",
    "bottom": "int64",
    "right": "int64",
}
# Pixels on the screen; small pictures are enlarged without smoothing, so that they stay what they are.
_SIDE = 104


@dataclass(frozen=True, eq=False, repr=False)
class StrongestInputs:
    """The inputs of the concept set on which a unit is most active, best first.

    Parameters
    ----------
    unit
        The unit's id.
    words
        What it is annotated with; empty without.
    inputs
        The concept set.
    index
        ``(k,)`` int64: which inputs of it.
    peaks
        ``(k,)`` float32: the unit's largest value over positions there.
    boxes
        ``(k, 4)`` int64 top, left, bottom, right, in pixels of the input: what the peak can see.
    """

    unit: str
    words: str
    inputs: InputSet
    index: npt.NDArray[np.int64]
    peaks: npt.NDArray[np.float32]
    boxes: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.index)

    @property
    def images(self) -> npt.NDArray[Any]:
        """The inputs themselves: ``(k, h, w, c)`` uint8, or token sequences ``(k, length)``."""
        return np.asarray(self.inputs.images[self.index])

    @property
    def frame(self) -> pd.DataFrame:
        """One row an exemplar, best first; ``shows`` are the concepts it is labelled with."""
        rows = [
            (rank, int(at), float(self.peaks[rank]), self._concepts_shown(at), self._class(at),
             self._text(at), *(int(side) for side in self.boxes[rank]))
            for rank, at in enumerate(self.index)
        ]  # fmt: skip
        return typed_frame(rows, EXEMPLAR_COLUMNS)

    def _concepts_shown(self, at: int) -> tuple[str, ...]:
        table = self.inputs.concepts
        if table is None:
            return ()
        names = self.inputs.concept_names
        return tuple(name for name, v in zip(names, table[at], strict=True) if v == 1)

    def _class(self, at: int) -> str:
        labels = self.inputs.labels
        if labels is None or labels.ndim != 1 or not self.inputs.classes:
            return ""
        return self.inputs.classes[int(labels[at])]

    def _text(self, at: int) -> str:
        if not self.inputs.is_tokens:
            return ""
        padding, words = self.inputs.padding, self.inputs.vocabulary
        return " ".join(
            words[token] for token in map(int, self.inputs.images[at]) if token != padding
        )

    def __repr__(self) -> str:
        said = f" ‘{self.words}’" if self.words else ""
        table = self.frame[["rank", "index", "peak", "shows"]].to_string(index=False)
        return f"Exemplars of {self.unit}{said}\n{table}"

    def _repr_html_(self) -> str:
        said = f" ‘{escape(self.words)}’" if self.words else ""
        tiles = "".join(self._tile(rank) for rank in range(len(self)))
        empty = "" if len(self) else "<p>Nothing in the concept set makes it fire.</p>"
        return (
            f'<div style="font:13px/1.4 system-ui,sans-serif"><p><code>{escape(self.unit)}</code>{said}: '
            f"the inputs of the concept set on which it is most active</p>{empty}"
            f'<div style="display:flex;flex-wrap:wrap;gap:8px">{tiles}</div></div>'
        )

    def _tile(self, rank: int) -> str:
        at = int(self.index[rank])
        shows = ", ".join(self._concepts_shown(at))
        label = f"{self.peaks[rank]:.3g}"
        if self.inputs.is_tokens:
            picture = f'<div style="max-width:18em">{escape(self._text(at))}</div>'
        else:
            picture = self._picture_with_box(rank, at, shows)
        return (
            f'<figure style="margin:0;width:{"auto" if self.inputs.is_tokens else f"{_SIDE}px"}">{picture}'
            f'<figcaption style="opacity:.75">{label} · {escape(shows) or "no labels"}</figcaption></figure>'
        )

    def _picture_with_box(self, rank: int, at: int, shows: str) -> str:
        image = np.asarray(self.inputs.images[at])
        height, width = image.shape[:2]
        top, left, bottom, right = (float(side) for side in self.boxes[rank])
        box = (
            f"top:{100 * top / height:.1f}%;left:{100 * left / width:.1f}%;"
            f"height:{100 * (bottom - top) / height:.1f}%;width:{100 * (right - left) / width:.1f}%"
        )
        frame = (
            f'<span style="position:absolute;box-sizing:border-box;border:2px solid #d9822b;{box}"></span>'
            if bottom > top and (bottom - top, right - left) != (height, width)
            else ""
        )
        return (
            f'<div style="position:relative;width:{_SIDE}px"><img alt="exemplar {rank + 1}: '
            f'{escape(shows, quote=True)}" src="data:image/png;base64,{_png_base64(image)}" '
            f'style="display:block;width:{_SIDE}px;image-rendering:{"pixelated" if width < _SIDE else "auto"}">'
            f"{frame}</div>"
        )


def exemplars_of_unit(z: AnnotatedModel, unit: str | Unit, count: int = 9) -> StrongestInputs:
    """Return the inputs on which a unit is most active.

    Parameters
    ----------
    z
        A measured model, with its concept set at hand.
    unit
        A unit, or a direction of a basis (``conv4@nmf:5``).
    count
        How many at most; nine are kept.

    Raises
    ------
    UnitError
        If z has no such unit.
    MeasurementError
        If its layer was not measured, or the concept set is not at hand.
    """
    target = canonical_target(unit, z.layers, z.classes, basis_sizes(z.bases))
    place, _, number = target.rpartition(":")
    measured = z.measurements.layers.get(place) if z.measurements else None
    if measured is None or z.concept_set is None:
        raise MeasurementError(
            f"There are no exemplars of {target}: "
            + (
                "its layer was not measured."
                if measured is None
                else "the concept set is not here."
            ),
            "Run z = cz.measure(z, concept_set, data).",
        )
    row = int(number)
    rows = measured.exemplars[row]
    chosen = np.flatnonzero(rows >= 0)[:count]
    index = rows[chosen]
    entry = z.effective().get(target)
    return StrongestInputs(
        target,
        entry.text if entry else "",
        z.concept_set,
        index,
        measured.peaks[index, row],
        measured.exemplar_boxes[row, chosen].astype(np.int64),
    )


def _png_base64(image: npt.NDArray[Any]) -> str:
    pixels = np.asarray(image, np.uint8)
    if pixels.shape[-1] == 1:
        pixels = np.repeat(pixels, 3, axis=-1)
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels[..., :3])).save(file, "PNG")
    return base64.b64encode(file.getvalue()).decode()
