"""Kinds of picture files by their ending and by how they begin: which are read, which are not."""

from __future__ import annotations

import functools
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

SUFFIXES = {
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".gif", ".webp", ".tif", ".tiff", ".ppm",
    ".pgm", ".pbm", ".pnm",
}  # fmt: skip
"""Endings of the kinds that are always read."""
_READ_WHERE_PILLOW_CAN = {
    ".avif", ".heic", ".heif", ".hif", ".jp2", ".j2k", ".jxl", ".tga",
}  # fmt: skip
_HEIF = {".heic", ".heif", ".hif"}
_NEVER_READ = {
    ".dng", ".cr2", ".cr3", ".nef", ".arw", ".orf", ".rw2", ".raf", ".pef", ".srw", ".svg", ".psd",
    ".xcf", ".exr", ".hdr", ".dcm", ".ico", ".eps",
}  # fmt: skip
_HEADS = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*")


def is_picture_suffix(suffix: str) -> bool:
    """Whether files of this ending are read as pictures on this machine."""
    suffix = suffix.lower()
    return suffix in SUFFIXES or (suffix in _READ_WHERE_PILLOW_CAN and _pillow_reads(suffix))


def is_unread_picture_suffix(suffix: str) -> bool:
    """Whether files of this ending are pictures and cannot be read on this machine."""
    suffix = suffix.lower()
    return suffix in _NEVER_READ or (suffix in _READ_WHERE_PILLOW_CAN and not _pillow_reads(suffix))


def begins_like_a_picture(file: Path) -> bool:
    """Whether the first bytes of a file are those of a common kind of picture."""
    try:
        with file.open("rb") as opened:
            head = opened.read(12)
    except OSError:
        return False
    return head.startswith(_HEADS) or (head[:4] == b"RIFF" and head[8:] == b"WEBP")


def _pillow_reads(suffix: str) -> bool:
    if suffix in _HEIF:
        _register_heif_plugin()
    Image.init()
    return Image.EXTENSION.get(suffix) in Image.OPEN


@functools.cache
def _register_heif_plugin() -> None:
    """Let Pillow read HEIC where the plugin for it is installed."""
    if find_spec("pillow_heif") is not None:
        import_module("pillow_heif").register_heif_opener()
