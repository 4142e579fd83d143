"""CUB-200-2011: birds with part locations and attributes that people saw (Wah et al. 2011)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from circuitz.data.benchmarks import benchmark
from circuitz.data.benchmarks.benchmark import SIZE, BenchmarkRows, OpenedBenchmark, Progress
from circuitz.data.benchmarks.cub_files import (
    CubImages,
    read_attributes,
    read_cub_image_list,
    read_part_locations,
)
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import InputSet

RADIUS: Final = 0.05
"""Half width of the spot that shows a part, as a share of the picture's side."""
LEAST: Final = 5
"""Pictures that must show a concept, and that must not, for it to be kept."""


def choose_cub_rows(
    images: CubImages, *, test: bool, classes: Sequence[str] | None = None
) -> tuple[BenchmarkRows, npt.NDArray[np.int64]]:
    """Choose the images of some species, or of all, and their rows among all images.

    Raises
    ------
    InputsError
        If there is no such species.
    """
    names = tuple(classes) if classes is not None else images.classes
    unknown = [name for name in names if name not in images.classes]
    if unknown or len(set(names)) != len(names) or len(names) < 2:
        what = unknown[0] if unknown else ", ".join(names)
        raise InputsError(
            f"Species cannot be chosen by {what!r}.",
            "Name two or more of classes.txt, in words, each once: Black footed Albatross.",
        )
    number = np.full(len(images.classes), -1)
    number[[images.classes.index(name) for name in names]] = np.arange(len(names))
    labels = number[images.labels]
    index = np.flatnonzero((labels >= 0) & (images.train != test))
    files = tuple(images.files[i] for i in index)
    return BenchmarkRows(
        files, labels[index], names, np.zeros(len(index), np.int64), ("all",)
    ), index


def open_cub(
    path: str | Path,
    *,
    classes: Sequence[str] | None = None,
    size: int | None = None,
    seed: int = 0,
    shifted: bool = False,
    progress: Progress | None = None,
) -> OpenedBenchmark:
    """Open CUB: its training set is D, its test set D′.

    The concept set carries the attributes as people saw them: 1 and 0 where they were probably or
    definitely right, not known where they guessed or could not see. Attributes that hardly
    differ are left out. Small spots show where parts are, as far as the square that is cut
    from a picture shows them.

    Parameters
    ----------
    path
        The folder ``CUB_200_2011``, or the one that holds it.
    classes
        Species that D shall hold, in words (*Black footed Albatross*); all by default. The
        concept set then shows the others, so that no class is among them; with all species it is
        D's own pictures.
    size, seed, shifted, progress
        As in :func:`circuitz.data.benchmarks.waterbirds.open_waterbirds`.

    Raises
    ------
    InputsError
        If files are missing or malformed.
    ConceptLabelsError
        If the attributes are, or none of them differs.
    """
    folder, side = Path(path), size or SIZE
    images = read_cub_image_list(folder)
    train, own = choose_cub_rows(images, test=False, classes=classes)
    others = np.setdiff1d(np.flatnonzero(images.train), own)
    concepts = _read_cub_concept_set(
        folder, images, others if len(others) else own, side, seed, progress
    )
    data = benchmark.read_labelled_set(train, side, seed, progress)
    test = None
    if shifted:
        test = choose_cub_rows(images, test=True, classes=classes)[0].shuffled(seed)
    return OpenedBenchmark(data, concepts, benchmark.read_unlabelled_set(test, side, progress))


def _read_cub_concept_set(
    folder: Path,
    images: CubImages,
    rows: npt.NDArray[np.int64],
    size: int,
    seed: int,
    progress: Progress | None,
) -> InputSet:
    table, names, _ = read_attributes(folder, images.ids)
    places, parts = read_part_locations(folder, images.ids)
    table = table[rows]
    kept = np.flatnonzero(((table == 1).sum(0) >= LEAST) & ((table == 0).sum(0) >= LEAST))
    if not len(kept):
        raise ConceptLabelsError(
            "No attribute is both present and absent often enough.",
            f"Choose species so that the others have {LEAST} pictures of each.",
        )
    files = [images.files[i] for i in rows]
    made = benchmark.read_concept_set(
        files, table[:, kept], [names[i] for i in kept], size, seed, progress
    )
    spots = np.stack(
        [
            _nearest_part_mask(file, places[i], size)
            for file, i in zip(files, rows.tolist(), strict=True)
        ]
    )
    return replace(made, masks=spots, mask_names=("", *parts))


def _nearest_part_mask(
    file: Path, places: npt.NDArray[np.float32], size: int
) -> npt.NDArray[np.uint8]:
    """Return ``(size, size)`` with the number of the part at each spot, the nearest one's."""
    with Image.open(file) as opened:  # the head of the file alone
        width, height = opened.size
    # The same middle square that reading cuts out.
    square = min(width, height)
    at = (places - [(width - square) / 2, (height - square) / 2]) * (size / square)
    middle = np.arange(size, dtype=np.float32) + 0.5
    far = np.hypot(middle[None, None, :] - at[:, 0, None, None],
                   middle[None, :, None] - at[:, 1, None, None])  # fmt: skip
    far[np.isnan(far)] = np.inf
    nearest = far.argmin(0)
    near = np.take_along_axis(far, nearest[None], 0)[0] <= max(RADIUS * size, 1.0)
    return np.where(near, nearest + 1, 0).astype(np.uint8)
