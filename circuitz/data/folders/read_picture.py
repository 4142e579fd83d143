"""Read one picture file, whatever it holds."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from circuitz.errors import InputsError

SMALLEST = 4
"""Fewest pixels a side: what is smaller is a placeholder and no photograph."""
LARGEST = 64_000_000
"""Most pixels that are unpacked; a JPEG is counted after it was shrunk on reading."""
_WORD = 65535
_TWELVE_BITS = 4095
_LFS = b"version https://git-lfs"


def read_picture(file: Path, size: int | tuple[int, int] | None = None) -> npt.NDArray[np.uint8]:
    """Read a picture as 8-bit RGB, the way a viewer shows it.

    Turned as its EXIF data say, transparency laid on white, 16-bit grey scaled to 8 bits, the
    first frame of several.

    Parameters
    ----------
    file
        The file; its contents and not its name say what kind of picture it is.
    size
        Side of the square, or height and width, it is cropped and scaled to; as it is when not
        given.

    Returns
    -------
    numpy.ndarray
        ``(h, w, 3)`` uint8.

    Raises
    ------
    InputsError
        Naming the file, if it cannot be read as a picture, or is absurdly small or large.
    """
    try:
        with warnings.catch_warnings():
            # Size is judged below, after a JPEG had its chance to be read smaller.
            # What Pillow warns of besides are damaged EXIF data, which do no harm.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            warnings.simplefilter("ignore", UserWarning)
            with Image.open(file) as opened:
                return _decode_pixels(opened, file, size)
    except InputsError:
        raise
    except Image.DecompressionBombError as error:
        raise InputsError(
            f"{file} is too large to unpack: {str(error).rstrip('. ')}.",
            "Scale it down, or leave it out.",
        ) from error
    except FileNotFoundError as error:
        raise InputsError(f"There is no picture {file}.", "Check the path.") from error
    except PermissionError as error:
        raise InputsError(f"{file} may not be read.", "Check its permissions.") from error
    except Exception as error:  # decoders of broken files raise whatever they stumble over
        raise InputsError(
            f"{file} is not a picture that can be read{_other_content(file)}.",
            "Fetch the pictures: git lfs pull."
            if _file_head(file).startswith(_LFS)
            else "Replace or remove the file.",
        ) from error


def _other_content(file: Path) -> str:
    """Say what a file is that is no picture, where its beginning tells."""
    head = _file_head(file)
    if not head:
        return ": it is empty"
    if head.startswith(_LFS):
        return ": it is a pointer of Git LFS, which stands for a picture that was not fetched"
    if head.lstrip().lower().startswith((b"<!doctype html", b"<html")):
        return ": it is a web page"
    return ""


def _file_head(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(64)
    except OSError:
        return b" "


def _decode_pixels(
    opened: Image.Image, file: Path, size: int | tuple[int, int] | None
) -> npt.NDArray[np.uint8]:
    width, height = opened.size
    if min(width, height) < SMALLEST:
        raise InputsError(
            f"{file} is {width} × {height} pixels: there is nothing to see in it.",
            f"Leave it out; a picture has {SMALLEST} pixels a side at least.",
        )
    box = (size, size) if isinstance(size, int) else size and (size[1], size[0])
    if box is not None:
        # A JPEG is unpacked at an eighth to a half of its size when that is enough, whichever way
        # up it is stored.
        opened.draft("RGB", (2 * max(box), 2 * max(box)))
    if opened.size[0] * opened.size[1] > LARGEST:
        raise InputsError(
            f"{file} has {width * height:,} pixels; up to {LARGEST:,} are unpacked.",
            "Scale it down, or leave it out.",
        )
    image = _to_rgb(_rotate_by_exif(opened), file)
    if box is not None:
        image = ImageOps.fit(image, box, Image.Resampling.BICUBIC)
    return np.asarray(image, dtype=np.uint8)


def _rotate_by_exif(opened: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(opened)
    except Exception:  # EXIF data are often damaged; then the picture stays as it is stored
        opened.load()
        return opened


def _to_rgb(image: Image.Image, file: Path) -> Image.Image:
    if image.mode.startswith("I"):
        return Image.fromarray(_scale_to_eight_bits(np.asarray(image), file)).convert("RGB")
    if image.mode == "F":
        raise InputsError(
            f"{file} holds floating-point pixels of unknown range.", "Save it with 8 bits."
        )
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        seen = image.convert("RGBA")
        ground = Image.new("RGBA", seen.size, (255, 255, 255, 255))
        return Image.alpha_composite(ground, seen).convert("RGB")
    return image.convert("RGB")


def uses_few_of_sixteen_bits(file: Path) -> bool:
    """Whether a picture has 16 bits a pixel and no value that needs more than 12 of them.

    Cameras of laboratories store 12 bits so; shown as 16 bits, the picture is nearly black.
    """
    try:
        with Image.open(file) as opened:
            return opened.mode.startswith("I") and int(np.asarray(opened).max()) <= _TWELVE_BITS
    except Exception:  # what cannot be read has been told before
        return False


def _scale_to_eight_bits(values: npt.NDArray[np.generic], file: Path) -> npt.NDArray[np.uint8]:
    """Scale 16-bit grey: clipping, as converting would, makes nearly every picture white."""
    wide = values.astype(np.int64)
    if wide.size and (wide.min() < 0 or wide.max() > _WORD):
        raise InputsError(
            f"{file} holds values from {wide.min()} to {wide.max()}.",
            "Save it with 8 or 16 bits a pixel.",
        )
    return ((wide * 255 + _WORD // 2) // _WORD).astype(np.uint8)
