"""Which files of a folder are pictures, and which are left out, said by kind and number."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from circuitz.data.folders.picture_kinds import (
    begins_like_a_picture,
    is_picture_suffix,
    is_unread_picture_suffix,
)
from circuitz.errors import InputsError

_SERVICE_NAMES = frozenset({
    "__macosx", "@eadir", "@recycle", "@recently-snapshot", "@tmp", "#recycle", "#snapshot",
    "$recycle.bin", "system volume information", "lost+found", "__pycache__", "thumbs.db",
    "ehthumbs.db", "desktop.ini",
})  # fmt: skip
_NAMED = 3
"""Names that a sentence gives as examples."""


def is_hidden_name(name: str) -> bool:
    """Whether a file or folder of this name belongs to a system and not to the data."""
    return name.startswith(".") or name.lower() in _SERVICE_NAMES


@dataclass(frozen=True, eq=False)
class PictureListing:
    """The pictures in a folder and below it.

    Parameters
    ----------
    folder
        The folder.
    files
        The pictures, in order.
    hidden
        Pictures that are hidden or lie in hidden folders, counted by what hides them.
    unread
        Files that are pictures of a kind that cannot be read here, counted by ending; ``""`` are
        pictures whose name has none.
    broken_links
        Links that lead nowhere.
    repeated_links
        Links to folders that are read anyway, or that hold the link itself.
    """

    folder: Path
    files: tuple[Path, ...]
    hidden: Mapping[str, int] = field(default_factory=dict[str, int])
    unread: Mapping[str, int] = field(default_factory=dict[str, int])
    broken_links: tuple[Path, ...] = ()
    repeated_links: tuple[Path, ...] = ()

    def remarks(self) -> list[str]:
        """Say what is left out, a sentence a reason."""
        said: list[str] = []
        if self.hidden:
            n = sum(self.hidden.values())
            said.append(
                f"In {self.folder} {picture_count_text(n)} hidden or in hidden folders "
                f"({_example_text(self.hidden)}) "
                f"{'is' if n == 1 else 'are'} left out."
            )
        if self.unread:
            said.append(self.unread_text())
        if self.broken_links:
            said.append(
                f"Left out: {_path_text(self.broken_links)} "
                f"{'leads' if len(self.broken_links) == 1 else 'lead'} nowhere (broken links)."
            )
        if self.repeated_links:
            said.append(
                f"Not followed: {_path_text(self.repeated_links)} "
                f"{'leads' if len(self.repeated_links) == 1 else 'lead'} to folders that are read "
                "already, or that hold the link."
            )
        return said

    def unread_text(self) -> str:
        """Say which pictures cannot be read here, and what helps."""
        named = [
            f"{n:,} {suffix or 'without an ending'}" for suffix, n in sorted(self.unread.items())
        ]
        remedy = "Convert them to JPEG or PNG"
        if {".heic", ".heif", ".hif"} & self.unread.keys():
            remedy += ", or install pillow-heif"
        if "" in self.unread:
            remedy += ", or give the name an ending such as .jpg"
        return f"In {self.folder} pictures of kinds that are not read here are left out: {', '.join(named)}. {remedy}."


def check_is_folder(folder: Path, remedy: str = "Check the path.") -> None:
    """Refuse a path that is no folder.

    Raises
    ------
    InputsError
        Saying whether there is nothing, or a file; ``remedy`` is what to do where nothing is.
    """
    if folder.is_file():
        raise InputsError(
            f"There is no folder {folder}: it is a file.",
            "Give the folder the pictures lie in; unpack an archive first.",
        )
    if not folder.is_dir():
        raise InputsError(f"There is no folder {folder}.", remedy)


def refuse_unreadable_names(names: Iterable[str]) -> None:
    """Refuse names of files or folders that are no text, as foreign archives leave them.

    Raises
    ------
    InputsError
        Naming the first.
    """
    for name in names:
        if any("\ud800" <= c <= "\udfff" for c in name):
            raise InputsError(
                f"The name {os.fsencode(name)!r} is not in UTF-8, and cannot be kept.",
                "Rename it; convmv -r -f cp1252 -t utf-8 --notest FOLDER does so for all.",
            )


def list_picture_files(folder: Path) -> list[Path]:
    """Return the picture files in a folder and below it, in order; hidden ones are left out.

    Raises
    ------
    InputsError
        If a folder may not be read.
    """
    return list(list_pictures(folder).files)


def list_pictures(folder: Path) -> PictureListing:
    """List the pictures in a folder and below it, links to folders followed once.

    Raises
    ------
    InputsError
        If a folder may not be read: leaving its pictures out would go unseen.
    """
    walk = _Walk()
    walk.read_folder(folder)
    walk.follow_links(folder)
    return PictureListing(
        folder,
        tuple(sorted(walk.files)),
        dict(sorted(walk.hidden.items())),
        dict(sorted(walk.unread.items())),
        tuple(sorted(walk.broken)),
        tuple(sorted(walk.repeated)),
    )


class _Walk:
    """A walk through folders: what it has found so far, and where it has been."""

    def __init__(self) -> None:
        self.files: list[Path] = []
        self.hidden: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()
        self.broken: list[Path] = []
        self.repeated: list[Path] = []
        self._links: list[Path] = []
        self._visited: set[tuple[int, int]] = set()

    def read_folder(self, folder: Path) -> None:
        """Read a folder and its own sub-folders; links to folders are put by."""
        waiting = [folder]
        while waiting:
            here = waiting.pop()
            self._visited.add(_folder_identity(here))
            for entry in _folder_entries(here):
                if is_hidden_name(entry.name):
                    self._count_hidden(entry)
                elif _leads_to_folder(entry):
                    (self._links if entry.is_symlink() else waiting).append(here / entry.name)
                else:
                    self._sort_file(here, entry)

    def follow_links(self, folder: Path) -> None:
        """Read what links lead to: once, after all real folders, and never back up."""
        around = {
            _folder_identity(p) for p in (Path(os.path.realpath(folder)), *_real_parents(folder))
        }
        while self._links:
            # Those near the top first: a class that is a link keeps its pictures.
            self._links.sort(key=lambda link: (len(link.parts), link))
            link = self._links.pop(0)
            identity = _folder_identity(link)
            if identity in self._visited or identity in around:
                self.repeated.append(link)
            else:
                around |= {_folder_identity(p) for p in _real_parents(link)}
                self.read_folder(link)

    def _count_hidden(self, entry: os.DirEntry[str]) -> None:
        name = "._…" if entry.name.startswith("._") else entry.name
        if entry.is_dir(follow_symlinks=False):
            inside = (Path(file).suffix for _, _, files in os.walk(entry.path) for file in files)
            self.hidden[name] += sum(is_picture_suffix(suffix) for suffix in inside)
        elif is_picture_suffix(Path(entry.name).suffix):
            self.hidden[name] += 1
        self.hidden += Counter()  # forgets what counts none

    def _sort_file(self, here: Path, entry: os.DirEntry[str]) -> None:
        file = here / entry.name
        suffix = file.suffix.lower()
        if not _leads_to_file(entry):
            if entry.is_symlink() and (not suffix or is_picture_suffix(suffix)):
                self.broken.append(file)
        elif is_picture_suffix(suffix):
            self.files.append(file)
        elif is_unread_picture_suffix(suffix) or (not suffix and begins_like_a_picture(file)):
            self.unread[suffix] += 1


def _folder_entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise InputsError(
            f"The folder {folder} may not be read: {error.strerror}.",
            "Check its permissions, or move it elsewhere.",
        ) from error


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _leads_to_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:
        return False


def _folder_identity(folder: Path) -> tuple[int, int]:
    try:
        found = folder.stat()
    except OSError as error:
        raise InputsError(
            f"The folder {folder} may not be read: {error.strerror}.", "Check its permissions."
        ) from error
    return found.st_dev, found.st_ino


def _real_parents(folder: Path) -> Iterator[Path]:
    yield from Path(os.path.realpath(folder)).parents


def picture_count_text(n: int) -> str:
    """Return a number of pictures in words."""
    return "1 picture" if n == 1 else f"{n:,} pictures"


def _example_text(counts: Mapping[str, int]) -> str:
    names = sorted(counts, key=lambda name: (-counts[name], name))
    return ", ".join(names[:_NAMED]) + (" and others" if len(names) > _NAMED else "")


def _path_text(paths: tuple[Path, ...]) -> str:
    more = len(paths) - _NAMED
    return ", ".join(str(p) for p in paths[:_NAMED]) + (f" and {more:,} more" if more > 0 else "")
