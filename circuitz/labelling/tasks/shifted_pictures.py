"""Pictures of D′: which there are, and what a person and a network are shown of each."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from circuitz.data.folders.folder_pair import common_size
from circuitz.data.folders.image_folder import read_pictures
from circuitz.data.folders.input_warnings import warn_about_inputs
from circuitz.data.folders.picture_files import (
    check_is_folder,
    list_pictures,
    refuse_unreadable_names,
)
from circuitz.data.folders.read_picture import read_picture
from circuitz.disk.hashing import DIGITS
from circuitz.errors import InputsError, LabellingError

if TYPE_CHECKING:
    from circuitz.z.model import AnnotatedModel

U8 = npt.NDArray[np.uint8]
Progress = Callable[[int, int], None]
LARGEST = 512
"""Longest side of a picture in a pack."""
CHUNK = 256


@dataclass(frozen=True)
class Picture:
    """A picture file.

    Parameters
    ----------
    file
        Where it lies.
    path
        The same, relative to the folder that was given, with slashes.
    item
        Hash of the file's bytes: it names the picture in judgements, wherever it lies.
    """

    file: Path
    path: str
    item: str


def find_pictures(folder: Path, progress: Progress | None = None) -> tuple[Picture, ...]:
    """Return the pictures of a folder, in it and below it, in order; warn of what is left out.

    Raises
    ------
    InputsError
        If there is no such folder, no picture in it, or one cannot be read.
    """
    check_is_folder(folder, "Check --images.")
    listing = list_pictures(folder)
    files = listing.files
    if not files:
        remedy = listing.unread_text() if listing.unread else "Check --images."
        raise InputsError(f"There are no pictures in {folder}.", remedy)
    for remark in listing.remarks():
        warn_about_inputs(remark)
    refuse_unreadable_names(str(file.relative_to(folder)) for file in files)
    found: list[Picture] = []
    for i, file in enumerate(files):
        found.append(Picture(file, file.relative_to(folder).as_posix(), picture_file_hash(file)))
        if progress is not None:
            progress(i + 1, len(files))
    return tuple(found)


def picture_file_hash(file: Path) -> str:
    """Return the hash that names a picture.

    Raises
    ------
    InputsError
        If the file cannot be read.
    """
    try:
        with file.open("rb") as opened:
            return hashlib.file_digest(opened, "sha256").hexdigest()[:DIGITS]
    except OSError as error:
        raise InputsError(f"{file} cannot be read: {error.strerror}.", "Check it.") from error


@dataclass(frozen=True)
class View:
    """What part of each picture the network sees.

    Parameters
    ----------
    size
        Height and width that pictures are cropped and scaled to.
    """

    size: tuple[int, int]

    @classmethod
    def of(cls, z: AnnotatedModel) -> View:
        """Return the view under which D's pictures were brought to one size.

        That is D's own size; where D is not at hand its concept set's, which was brought to the
        same; else the network's.
        """
        for known in (z.data, z.concept_set):
            if known is not None:
                return cls((int(known.images.shape[1]), int(known.images.shape[2])))
        return cls(z.preprocessing.size)

    def read_picture_batches(
        self, files: Sequence[Path], progress: Progress | None = None
    ) -> Iterator[tuple[int, U8]]:
        """Yield pictures as the network gets them, a chunk at a time, with the first's index."""
        for start in range(0, len(files), CHUNK):
            yield start, read_pictures(files[start : start + CHUNK], self.size)
            if progress is not None:
                progress(min(start + CHUNK, len(files)), len(files))

    def crop_and_encode_for_people(self, file: Path) -> bytes:
        """Return the same part of a picture for people: as sharp as it is, up to a limit.

        PNG where the picture is small, so that every pixel is as it was; else WebP.
        """
        height, width = self.size
        most = LARGEST / max(self.size)
        full = (max(1, round(height * most)), max(1, round(width * most)))
        if _shorter_side_from_header(file) >= 2 * LARGEST:
            # A large JPEG need not be unpacked whole.
            image = Image.fromarray(read_picture(file, full))
        else:
            image = Image.fromarray(read_picture(file))
            scale = min(image.width / width, image.height / height, most)
            box = (max(1, round(width * scale)), max(1, round(height * scale)))
            image = ImageOps.fit(image, box, Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        if max(image.size) <= 128:
            image.save(buffer, "PNG", optimize=True)
        else:
            image.save(buffer, "WEBP", quality=88, method=4)
        return buffer.getvalue()


def _shorter_side_from_header(file: Path) -> int:
    """Return the shorter side of a picture from its head; 0 where that cannot be read."""
    size = common_size([file])
    return 0 if size is None else min(size)


def check_labelling_supported(z: AnnotatedModel) -> None:
    """Refuse a z that pictures cannot be labelled with, one class each.

    Raises
    ------
    LabellingError
        Saying why.
    """
    if z.preprocessing.is_tokens:
        raise LabellingError(
            "This model reads texts, and labelling shows pictures.", "Label with one of pictures."
        )
    if z.head == "multi-label":
        raise LabellingError(
            "A picture may show several of this model's classes.",
            "Labelling asks for one class a picture; it does not serve this head.",
        )
    if len(z.classes) < 2 or len(z.cut) != 1:
        raise LabellingError(
            "Labelling needs two classes or more and a cut of one layer.", "Wrap the model so."
        )
