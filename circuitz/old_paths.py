"""Modules by the paths they had before the rooms were moved: they import for one release, and warn.

``old_paths.txt`` has a line a module: its old path, its new one, and names that changed in it.
"""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.resources import files
from types import ModuleType
from typing import Any

from circuitz.deprecation import warn_renamed

ROOT = "circuitz"
VERBS = ("search",)


@cache
def moved_modules() -> dict[str, tuple[str, dict[str, str]]]:
    """Return the new path and the changed names of every module that moved, by its old path."""
    table: dict[str, tuple[str, dict[str, str]]] = {}
    for line in files(ROOT).joinpath("old_paths.txt").read_text(encoding="utf-8").splitlines():
        old, new, *names = line.split()
        changed = dict(name.split("=") for name in names)
        table[f"{ROOT}.{old}"] = (f"{ROOT}.{new}", changed)
    return table


def name_at_old_path(old_path: str, name: str) -> Any:
    """Return what a name of a module that moved is now.

    Raises
    ------
    AttributeError
        If the module had no such name.
    """
    if name.startswith("__"):
        raise AttributeError(name)
    path, changed = moved_modules()[old_path]
    module, _, new_name = changed.get(name, name).rpartition(":")
    return getattr(import_module(f"{ROOT}.{module}" if module else path), new_name)


def names_of_old_module(folder: str) -> Callable[[str], Any]:
    """Make the ``__getattr__`` of a folder that has the path a module had before."""

    def find_name(name: str) -> Any:
        # Anything else is a file of the folder, or nothing.
        if name not in moved_modules()[folder][1]:
            raise AttributeError(f"{folder} has no {name!r}.")
        value = name_at_old_path(folder, name)
        warn_renamed(f"{folder}.{name}", moved_modules()[folder][0])
        return value

    return find_name


class MovedModule(ModuleType):
    """A module under its old path, whose names are those of the module it became."""

    def __getattr__(self, name: str) -> Any:
        return name_at_old_path(self.__name__, name)


class OldPaths(MetaPathFinder, Loader):
    """Finds modules under old paths, where nothing else does."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return a spec for an old path, or for a folder that held old paths."""
        del path, target
        if not fullname.startswith(f"{ROOT}."):
            return None
        if fullname.split(".")[1] in VERBS:
            # A module of this name would take the place of the verb.
            new = moved_modules().get(fullname, (f"{ROOT}.zstar", {}))[0]
            raise ModuleNotFoundError(f"{fullname} is {new} now; the verb is {ROOT}.search.")
        if fullname in moved_modules():
            return ModuleSpec(fullname, self)
        folder = any(old.startswith(f"{fullname}.") for old in moved_modules())
        return ModuleSpec(fullname, self, is_package=True) if folder else None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Make the module that stands for the one that moved."""
        return MovedModule(spec.name) if spec.name in moved_modules() else ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Warn of the new path."""
        if module.__name__ in moved_modules():
            warnings.warn(
                f"{module.__name__} is {moved_modules()[module.__name__][0]} now; the old path goes "
                "with the next release.",
                DeprecationWarning,
                stacklevel=2,
            )


def install() -> None:
    """Let old paths be imported; what has a file is found first."""
    if not any(isinstance(finder, OldPaths) for finder in sys.meta_path):
        sys.meta_path.append(OldPaths())
