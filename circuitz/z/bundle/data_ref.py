"""Where a set of inputs lies that is too large for the bundle."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from circuitz.disk.atomic import exists_when_settled
from circuitz.errors import InputsError
from circuitz.z.inputs import InputSet


@dataclass(frozen=True)
class DataRef:
    """Reference to an input set on disk.

    Parameters
    ----------
    path
        Folder written by :func:`circuitz.z.bundle.inputs_io.write_inputs`: absolute, or relative to the
        folder that holds the bundle; empty when it was never written.
    fingerprint
        Hash of its contents.
    n
        Number of inputs.
    recipe
        How to make it again (JSON values); empty for a user's own files.
    """

    path: str
    fingerprint: str
    n: int
    recipe: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def referring_to(cls, inputs: InputSet, path: str | os.PathLike[str] = "") -> DataRef:
        """Refer to a set that is at hand, and to the folder it was written to."""
        from circuitz.z.bundle.inputs_io import input_set_fingerprint  # noqa: PLC0415 (it needs this class)

        return cls(os.fspath(path), input_set_fingerprint(inputs), len(inputs), dict(inputs.recipe))

    def find_folder(self, folder: str | os.PathLike[str] = ".") -> Path | None:
        """Return the folder of the set, or None when it is not where the reference says.

        Parameters
        ----------
        folder
            The bundle, or the folder that holds it.
        """
        if not self.path:
            return None
        base = Path(folder)
        # Written relative to the bundle's parent; a set kept inside the bundle's folder is found too.
        for candidate in (base.parent / self.path, base / self.path):
            meta = candidate / "meta.json"
            with suppress(OSError, ValueError):  # a path no disk can have
                if meta.is_file() or (exists_when_settled(candidate) and meta.is_file()):
                    return candidate
        return None

    def resolve(self, folder: str | os.PathLike[str] = ".", *, name: str = "D") -> InputSet:
        """Open the set, memory-mapped, and check that it is the one referred to.

        Raises
        ------
        InputsError
            If it is not there, or is another set than z was made from.
        """
        from circuitz.z.bundle.inputs_io import input_set_fingerprint, read_inputs  # noqa: PLC0415

        found = self.find_folder(folder)
        if found is None:
            where = f"at {self.path}" if self.path else "anywhere: it was never written to disk"
            raise InputsError(
                f"Input set {name} ({self.n:,} inputs) was not found {where}.",
                "Pass it with --data, or as data= in Python.",
            )
        inputs = read_inputs(found)
        self.check(inputs, name=name, fingerprint=input_set_fingerprint(inputs))
        return inputs

    def check(self, inputs: InputSet, *, name: str = "D", fingerprint: str) -> None:
        """Refuse a set that is not the one referred to.

        Raises
        ------
        InputsError
            If the fingerprints differ.
        """
        if fingerprint != self.fingerprint:
            raise InputsError(
                f"Input set {name} has the fingerprint {fingerprint[:12]} ({len(inputs):,} "
                f"inputs); z was made from {self.fingerprint[:12]} ({self.n:,}).",
                "Pass the set z was made from, or measure z again on this one.",
            )
