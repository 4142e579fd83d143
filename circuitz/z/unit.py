"""Names of units: ``conv4:17``, ``output:husky``, ``conv4@nmf:5``, ``attn.hook_z:3@pos7``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from circuitz.errors import UnitError

OUTPUT = "output"
_PATTERN = re.compile(r"^(?P<layer>[^:@\s]+)(?:@(?P<basis>[^:@\s]+))?:(?P<name>\S(?:.*\S)?)$")
# Up to 12 digits: no position has more, and no number of that length is ever converted.
_AT = re.compile(r"(?P<name>.*)@pos(?P<position>[0-9]{1,12})")


@dataclass(frozen=True)
class Unit:
    """One addressable part of a network.

    Parameters
    ----------
    layer
        Dotted layer name, or ``"output"`` for a class.
    name
        Index of the unit along the layer's unit axis (decimal digits), or the class name.
    basis
        Name of the basis the index counts directions of; empty for the layer's own axes.
    position
        Token position, where one is meant rather than the unit wherever it repeats.
    """

    layer: str
    name: str
    basis: str = ""
    position: int | None = None

    @classmethod
    def parse(cls, text: str | Unit) -> Unit:
        """Read a unit id.

        Raises
        ------
        UnitError
            If the text is not ``layer:index``, ``layer@basis:index``, either of them with
            ``@pos7`` behind it, or ``output:class``.
        """
        if isinstance(text, Unit):
            return text
        match = _PATTERN.match(text)
        if match is None:
            raise UnitError(
                f"{text!r} is not a unit id.",
                "Write layer:index, for instance conv4:17, or output:husky for a class.",
            )
        name, position = match["name"], None
        at = _AT.fullmatch(name) if match["layer"] != OUTPUT else None
        if at is not None:
            name, position = at["name"], int(at["position"])
        unit = cls(match["layer"], name, match["basis"] or "", position)
        if not unit.is_output and not unit.name.isdecimal():
            raise UnitError(
                f"{text!r} names unit {unit.name!r}, which is not an index.",
                "Units of a layer are counted from 0, for instance conv4:17.",
            )
        return unit

    @property
    def is_output(self) -> bool:
        """Whether this is a class rather than a unit inside the network."""
        return self.layer == OUTPUT

    @property
    def place(self) -> str:
        """Name of the layer, or of the basis over it (``conv4@nmf``)."""
        return f"{self.layer}@{self.basis}" if self.basis else self.layer

    @property
    def index(self) -> int:
        """Index along the unit axis.

        Raises
        ------
        UnitError
            If the unit is a class, which has a name and no index here.
        """
        if self.is_output:
            raise UnitError(f"{self} is a class and has no index.", "Use its name.")
        return int(self.name)

    @property
    def sort_key(self) -> tuple[str, str, int, str]:
        """Key that sorts indices, and positions of one unit, as numbers."""
        at = "" if self.position is None else f"@{self.position:012d}"
        return (self.layer, self.basis, -1 if self.is_output else int(self.name), self.name + at)

    def __lt__(self, other: Unit) -> bool:
        return self.sort_key < other.sort_key

    def __str__(self) -> str:
        basis = f"@{self.basis}" if self.basis else ""
        at = "" if self.position is None else f"@pos{self.position}"
        return f"{self.layer}{basis}:{self.name}{at}"
