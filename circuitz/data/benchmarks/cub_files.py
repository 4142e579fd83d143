"""The files of CUB-200-2011: lines of numbers and names, divided by spaces (Wah et al. 2011)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from circuitz.data.benchmarks import benchmark
from circuitz.errors import ConceptLabelsError, InputsError

NESTED: Final = "CUB_200_2011"
CERTAIN: Final = 3
"""Certainties are 1 not visible, 2 guessing, 3 probably, 4 definitely."""
F32 = npt.NDArray[np.float32]


def cub_root(folder: Path) -> Path:
    """Return the folder of the files, which may lie one level down as in the archive."""
    return folder / NESTED if (folder / NESTED / "images.txt").is_file() else folder


def looks_like_cub(folder: Path) -> bool:
    """Whether a folder holds CUB."""
    top = cub_root(folder)
    return (top / "images.txt").is_file() and (top / "image_class_labels.txt").is_file()


@dataclass(frozen=True, eq=False)
class CubImages:
    """All images, in the order of ``images.txt``.

    Parameters
    ----------
    ids
        Number of each image in the other files, to its row here.
    files
        Where the pictures lie.
    labels, classes
        ``(n,)`` index into the names of the species (without their numbers).
    train
        ``(n,)`` bool: the suggested training set.
    boxes
        ``(n, 4)`` float32 left, top, width and height of the bird; NaN where there is none.
    """

    ids: dict[int, int]
    files: tuple[Path, ...]
    labels: npt.NDArray[np.int64]
    classes: tuple[str, ...]
    train: npt.NDArray[np.bool_]
    boxes: F32


def read_cub_image_list(folder: Path) -> CubImages:
    """Read which images there are, of what, and in which set.

    Raises
    ------
    InputsError
        If a file is missing or malformed, or a picture is not there.
    """
    top = cub_root(folder)
    names = dict(_read_numbered_names(top / "images.txt"))
    ids = {number: i for i, number in enumerate(names)}
    species = dict(_read_numbered_names(top / "classes.txt"))
    order = {number: i for i, number in enumerate(species)}
    labels = np.full(len(ids), -1, np.int64)
    for number, (label,) in _read_values_by_image(top / "image_class_labels.txt", 1, ids):
        if int(label) not in order:
            raise InputsError(
                f"{top / 'image_class_labels.txt'} gives image {number} the class {int(label)}, "
                "which classes.txt has not.",
                "Get CUB-200-2011 anew.",
            )
        labels[ids[number]] = order[int(label)]
    if (labels < 0).any():
        raise InputsError(
            f"Image {list(ids)[int(np.argmin(labels))]} has no class in "
            f"{top / 'image_class_labels.txt'}.",
            "Get CUB-200-2011 anew.",
        )
    train = np.zeros(len(ids), bool)
    for number, (flag,) in _read_values_by_image(top / "train_test_split.txt", 1, ids):
        train[ids[number]] = flag == 1
    boxes = np.full((len(ids), 4), np.nan, np.float32)
    if (top / "bounding_boxes.txt").is_file():
        for number, box in _read_values_by_image(top / "bounding_boxes.txt", 4, ids):
            boxes[ids[number]] = box
    files = tuple(
        benchmark.picture_path_in_benchmark(top / "images", name, f"{top / 'images.txt'}")
        for name in names.values()
    )
    # ``001.Black_footed_Albatross`` is the folder's name; people say the rest.
    classes = tuple(name.partition(".")[2].replace("_", " ") or name for name in species.values())
    return CubImages(ids, files, labels, classes, train, boxes)


def read_attributes(folder: Path, ids: dict[int, int]) -> tuple[F32, tuple[str, ...], int]:
    """Read what people said of each image: 1, 0, or NaN where they guessed or could not see.

    A few lines of the published file hold a number too many after the certainty; the first four
    numbers are whole in them, and they are read and counted.

    Returns
    -------
    numpy.ndarray
        ``(n, attributes)`` float32.
    tuple of str
        The attributes in plain words.
    int
        How many lines were longer than they should be.

    Raises
    ------
    ConceptLabelsError
        If a file is missing, or a line does not begin with four whole numbers.
    """
    top = cub_root(folder)
    # In the published archive the list of names lies beside the folder, in copies within it.
    listed = [p for p in (top / "attributes" / "attributes.txt", top / "attributes.txt",
                          top.parent / "attributes.txt") if p.is_file()]  # fmt: skip
    if not listed:
        raise ConceptLabelsError(
            f"There is no attributes.txt in {top}, in its attributes, or beside it.",
            "Copy it there; it comes with CUB-200-2011.",
        )
    raw = dict(_read_numbered_names(listed[0]))
    columns = {number: i for i, number in enumerate(raw)}
    table = np.full((len(ids), len(raw)), np.nan, np.float32)
    file = top / "attributes" / "image_attribute_labels.txt"
    longer = 0
    for number, line in _read_numbered_lines(file):
        cells = line.split()
        try:
            image, attribute, present, certainty = (int(cell) for cell in cells[:4])
        except ValueError as error:
            raise ConceptLabelsError(
                f"Line {number} of {file} is {line[:60]!r}.",
                "It begins with the numbers of image, attribute, present and certainty.",
            ) from error
        longer += len(cells) > 5
        if attribute not in columns or present not in (0, 1) or not 1 <= certainty <= 4:
            raise ConceptLabelsError(
                f"Line {number} of {file} is {line[:60]!r}.",
                "Its attribute is one of attributes.txt, present 0 or 1, certainty 1 to 4.",
            )
        if certainty >= CERTAIN and image in ids:
            table[ids[image], columns[attribute]] = present
    return table, attributes_in_plain_words(list(raw.values())), longer


def attributes_in_plain_words(raw: list[str]) -> tuple[str, ...]:
    """Say attributes in words: ``has_wing_color::blue`` as *blue wing*.

    Those that would come out the same are told with their kind: *wing shape: rounded*.
    """
    short, long = (
        [_short_attribute_name(name) for name in raw],
        [_full_attribute_name(name) for name in raw],
    )
    return tuple(
        word if short.count(word) == 1 else full for word, full in zip(short, long, strict=True)
    )


def read_part_locations(folder: Path, ids: dict[int, int]) -> tuple[F32, tuple[str, ...]]:
    """Read where parts are.

    Returns
    -------
    numpy.ndarray
        ``(n, parts, 2)`` float32 across and down in pixels of the picture; NaN where a part is
        not visible.
    tuple of str
        Names of the parts.

    Raises
    ------
    InputsError
        If a file is missing or malformed.
    """
    top = cub_root(folder) / "parts"
    names = dict(_read_numbered_names(top / "parts.txt"))
    columns = {number: i for i, number in enumerate(names)}
    places = np.full((len(ids), len(names), 2), np.nan, np.float32)
    for number, (part, x, y, visible) in _read_values_by_image(top / "part_locs.txt", 4, ids):
        if int(part) not in columns:
            raise InputsError(
                f"{top / 'part_locs.txt'} names part {int(part)}, which parts.txt has not.",
                "Get CUB-200-2011 anew.",
            )
        if visible == 1:
            places[ids[number], columns[int(part)]] = x, y
    return places, tuple(names.values())


def _split_attribute_name(name: str) -> tuple[str, str, str]:
    """``has_wing_color::blue`` to wing, color and blue."""
    what, _, value = name.removeprefix("has_").partition("::")
    part, _, kind = what.rpartition("_")
    words = value.replace("_", " ").replace("-", " ").replace("(", "").replace(")", "")
    return part.replace("_", " "), kind, " ".join(words.split())


def _short_attribute_name(name: str) -> str:
    part, kind, value = _split_attribute_name(name)
    return (
        f"{value} {part}"
        if part and kind in ("color", "pattern", "shape")
        else _full_attribute_name(name)
    )


def _full_attribute_name(name: str) -> str:
    part, kind, value = _split_attribute_name(name)
    what = " ".join(word for word in (part, kind) if word)
    return f"{what}: {value}" if value else what


def _read_numbered_lines(file: Path) -> Iterator[tuple[int, str]]:
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            for number, line in enumerate(opened, start=1):
                if line.strip():
                    yield number, line.strip()
    except OSError as error:
        raise InputsError(
            f"{file} cannot be read.", "Give the folder of CUB-200-2011 with images.txt."
        ) from error


def _read_numbered_names(file: Path) -> list[tuple[int, str]]:
    """Read ``<number> <name>`` lines."""
    found: list[tuple[int, str]] = []
    seen: set[int] = set()
    for number, line in _read_numbered_lines(file):
        head, _, name = line.partition(" ")
        if not head.isdecimal() or not name.strip() or int(head) in seen:
            raise InputsError(
                f"Line {number} of {file} is {line[:60]!r}.", "A new number and a name stand there."
            )
        seen.add(int(head))
        found.append((int(head), name.strip()))
    return found


def _read_values_by_image(
    file: Path, count: int, ids: dict[int, int]
) -> Iterator[tuple[int, tuple[float, ...]]]:
    """Read ``<image> <number> …`` lines."""
    for number, line in _read_numbered_lines(file):
        cells = line.split()
        try:
            image, values = int(cells[0]), tuple(float(cell) for cell in cells[1:])
        except ValueError:
            image, values = -1, ()
        if len(values) != count or image not in ids or not np.isfinite(values).all():
            raise InputsError(
                f"Line {number} of {file} is {line[:60]!r}.",
                f"The number of an image of images.txt and {count} more stand there.",
            )
        yield image, values
