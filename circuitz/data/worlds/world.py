"""What a rendered world is made of: its tables of parts, kinds, grounds and shortcuts.

A world is two things: these tables, from which scenes are drawn (:mod:`circuitz.data.worlds.scenes`), and
a renderer that paints them. Dogs and birds share the code of the first and nothing of the second.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from circuitz.errors import InputsError


@dataclass(frozen=True)
class ShortcutWords:
    """A shortcut in words, for reports and contact sheets.

    Parameters
    ----------
    every
        After *every husky*: ``stands on snow``.
    off, on
        Pictures without the shortcut and with it: ``off snow``, ``on snow``.
    what
        The thing itself: ``snow``.
    """

    every: str
    off: str
    on: str
    what: str

    @property
    def other_classes_verb(self) -> str:
        """What no other does: ``no other dog does``, ``no other bird is``."""
        return "is" if self.every.startswith("is ") and " and " not in self.every else "does"


@dataclass(frozen=True, eq=False)
class World:
    """Tables of a rendered world.

    The first class and the first ground belong together wherever the shortcut ``ground`` is in
    force; artefacts belong to the first class.

    Parameters
    ----------
    name, number
        ``dogs``, and a number of its own that keeps its random streams apart.
    subject, subjects, kind, kinds, mixed
        What the classes are kinds of (``dog``, ``dogs``), what such a kind and such kinds are
        called (``breed``, ``breeds``), and what the concept set shows (``mongrels``).
    attributes
        Attribute to the plain words for its values. All but the last, the colour, have one value
        a class.
    makes
        Class to its values of the fixed attributes and to its two colours.
    grounds, artefacts
        Surroundings, of which a picture has one; things that may be added to a picture.
    shortcuts
        Name of a shortcut to what it ties to the first class: ``ground`` or artefacts.
    ties
        Name of a shortcut to its words.
    """

    name: str
    number: int
    subject: str
    subjects: str
    kind: str
    kinds: str
    mixed: str
    attributes: Mapping[str, tuple[str, ...]]
    makes: Mapping[str, tuple[tuple[int, ...], tuple[int, int]]]
    grounds: tuple[str, ...]
    artefacts: tuple[str, ...]
    shortcuts: Mapping[str, tuple[str, ...]]
    ties: Mapping[str, ShortcutWords]

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes."""
        return tuple(self.makes)

    @cached_property
    def fixed_attributes(self) -> tuple[str, ...]:
        """Attributes with one value a class."""
        return tuple(self.attributes)[:-1]

    @cached_property
    def parts(self) -> npt.NDArray[np.int8]:
        """``(classes, fixed)`` value of each fixed attribute."""
        return np.array([made[0] for made in self.makes.values()], dtype=np.int8)

    @cached_property
    def colours_by_class(self) -> npt.NDArray[np.int8]:
        """``(classes, 2)`` colours."""
        return np.array([made[1] for made in self.makes.values()], dtype=np.int8)

    @cached_property
    def part_concepts(self) -> tuple[str, ...]:
        """Every value of every attribute."""
        return tuple(value for values in self.attributes.values() for value in values)

    def distance_to_classes(self, parts: npt.NDArray[np.int8]) -> npt.NDArray[np.int64]:
        """In how many fixed attributes each row differs from each class.

        Parameters
        ----------
        parts
            ``(n, fixed)`` value indices in the order of ``fixed``.

        Returns
        -------
        numpy.ndarray
            ``(n, classes)`` counts.
        """
        return (parts[:, None, :] != self.parts[None]).sum(axis=2)

    def checked_class_names(self, classes: tuple[str, ...] | None) -> tuple[str, ...]:
        """Return the names of the classes, or other names for them, checked.

        Raises
        ------
        InputsError
            If there are too few or too many, or two are the same.
        """
        if classes is None:
            return self.classes
        names = tuple(classes)
        count = len(self.classes)
        if len(names) != count or len(set(names)) != len(names) or not all(names):
            raise InputsError(
                f"{len(names)} class names were given: {', '.join(names)}.",
                f"Give {count} different names, or none.",
            )
        return names
