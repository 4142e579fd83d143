"""D and its concept set, opened together from folders."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from circuitz.data.folders.image_folder import CONCEPT_SHARES, open_folder
from circuitz.data.folders.picture_files import check_is_folder, list_picture_files
from circuitz.data.splits import assign_splits
from circuitz.data.validate_inputs import check_concept_set
from circuitz.errors import ConceptLabelsError, InputsError
from circuitz.z.inputs import InputSet

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, eq=False)
class DataWithConcepts:
    """D and what units are measured on.

    Parameters
    ----------
    data, concepts
        The two sets, of one size.
    shared
        Whether the concept set is D's own pictures: then a concept and a class that go together
        in D cannot be told apart.
    """

    data: InputSet
    concepts: InputSet
    shared: bool


def open_folder_with_concepts(
    data_folder: Path,
    table: Path | None = None,
    concept_folder: Path | None = None,
    *,
    classes: Path | None = None,
    size: int | None = None,
    network_size: tuple[int, int] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> DataWithConcepts:
    """Open D and a concept set.

    Parameters
    ----------
    data_folder
        D: one sub-folder a class.
    table
        CSV with concept labels, its paths relative to itself; it may label pictures of both.
    concept_folder
        Pictures with concept labels, from ``table`` or from ``concepts.csv`` in the folder;
        D's own labelled pictures when not given.
    classes
        CSV with D's classes, where sub-folders do not tell them.
    size
        Side to bring all pictures to. By default they are kept as they are where all are of one
        size that the network can scale itself, and else cropped and scaled to what it takes.
    network_size
        Height and width of the network's input, where known.
    seed
        Of the splits.
    progress
        Called with what is read, pictures read and pictures in all.

    Raises
    ------
    InputsError, ConceptLabelsError
        If pictures or labels cannot be used.
    """
    for folder in (data_folder, concept_folder):
        if folder is not None:
            check_is_folder(folder)
    side = size or _choose_scaled_side(data_folder, concept_folder, network_size)
    say = progress or (lambda _what, _done, _total: None)
    data = open_folder(
        data_folder, concepts=table, classes=classes, size=side, seed=seed, role="D",
        progress=lambda done, n: say("read D", done, n),
    )  # fmt: skip
    if concept_folder is None:
        return DataWithConcepts(data, _concept_set_from_data(data, seed), shared=True)
    found = open_folder(
        concept_folder, concepts=table, size=side, seed=seed, role="concepts",
        progress=lambda done, n: say("read the concept set", done, n),
    )  # fmt: skip
    if found.images.shape[1:] != data.images.shape[1:]:
        raise InputsError(
            f"Pictures of {concept_folder} are {found.images.shape[2]} × {found.images.shape[1]}, "
            f"those of D {data.images.shape[2]} × {data.images.shape[1]}.",
            "Give a size (--size) to bring all to.",
        )
    if not set(found.classes) & set(data.classes):
        # Sub-folders that only sort its pictures are no classes.
        found = replace(found, labels=None, classes=())
    return DataWithConcepts(data, found, shared=False)


def _concept_set_from_data(data: InputSet, seed: int) -> InputSet:
    if data.concepts is None:
        raise ConceptLabelsError(
            "No picture has concept labels, so nothing can be said about what units see.",
            "Give --concepts FILE.csv with labels of D's pictures, better of a --concept-set.",
        )
    split = assign_splits(len(data), CONCEPT_SHARES, groups=data.scene, seed=seed + 1)
    # Its classes stay: the check must know where a concept and a class go together.
    own = replace(data, split=split, role="concepts")
    return check_concept_set(own)


def _choose_scaled_side(
    data_folder: Path, concept_folder: Path | None, network_size: tuple[int, int] | None
) -> int | None:
    """Return the side to scale pictures to, or None to keep them as they are."""
    if network_size is None:
        return None
    size = common_size(
        [
            *list_picture_files(data_folder),
            *(list_picture_files(concept_folder) if concept_folder else ()),
        ]
    )
    if size is not None:
        width, height = size
        if network_size == (height, width) or (width == height <= max(network_size)):
            return None
    return max(network_size)


def common_size(files: Iterable[Path]) -> tuple[int, int] | None:
    """Return the width and height that all pictures share, from the heads of the files alone.

    None where two differ; a file that is no picture is passed over, reading it tells its name.
    """
    found: tuple[int, int] | None = None
    for file in files:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", Image.DecompressionBombWarning)
                with Image.open(file) as opened:
                    size = opened.size
        except Exception:  # broken pictures fail in many ways
            continue
        if found is not None and size != found:
            return None
        found = size
    return found
